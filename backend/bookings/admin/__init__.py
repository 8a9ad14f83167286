"""The admin of bookings: read-only pages, and the one form through which staff approve. No rule is written here."""

from backend.bookings.admin import booking, records

__all__ = ["booking", "records"]  # importing them registers their pages
