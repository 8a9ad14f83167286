"""The web process: a server that reads whole requests before a thread and a database connection wait for them."""
