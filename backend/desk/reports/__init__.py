"""A month in numbers, and what a sponsor may know."""
