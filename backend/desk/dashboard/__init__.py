"""The front page, Today: who waits for what."""
