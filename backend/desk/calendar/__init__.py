"""The calendar, and what it opens beside itself."""
