"""Configuration: settings, addresses, schedule, and the local stack. Nobody imports it."""
