"""The admin of bookings: read-only pages, and the one form through which staff approve. No rule is written here."""

from backend.bookings.admin import booking, psychologist, records, sponsors

__all__ = ["booking", "psychologist", "records", "sponsors"]  # importing them registers their pages
