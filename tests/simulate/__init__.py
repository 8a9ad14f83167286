"""A year of a practice in compressed time, through the real code: `python -m tests.simulate`."""
