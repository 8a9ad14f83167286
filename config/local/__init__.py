"""The local stack: all that runs, checks and shows the project on a bare machine with Python."""
