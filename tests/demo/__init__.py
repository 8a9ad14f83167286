"""The life cycle driven from outside, by HTTP, the mailbox and staff's commands alone: `make demo`."""
