"""Registers the staff's pages with Django's admin."""

from backend.desk import records
from backend.desk.booking import page as booking
from backend.desk.people import corporate, psychologist
from backend.desk.people import records as people

__all__ = ["booking", "corporate", "people", "psychologist", "records"]  # importing them registers their pages
