"""Clients, psychologists, locations and corporate sponsors."""
