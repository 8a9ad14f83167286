"""The example of nginx, with a real one before a real `web`."""
