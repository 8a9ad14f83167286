"""A psychologist's time: which slots are free, who holds one, and what suits a request."""
