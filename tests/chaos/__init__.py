"""A storm over the whole stack, and a verdict from outside: what the fakes were told against what the database says."""
