"""A gateway of our own that moves no money: an HTTP process, and the adapter that speaks to it."""
