"""Pages for who works on the backend, with DEBUG alone."""
