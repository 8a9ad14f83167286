"""Pictures of every mail, to look at."""
