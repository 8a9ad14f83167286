"""The booking's page and every action on it."""
