"""A request taken on the phone."""
