"""The fastest plain code for the same work: what a figure of ours is held against, in the same run."""
