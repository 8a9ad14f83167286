"""`make security`: every control in production settings, and a whole stack that is searched and attacked."""
