"""The operations pages of the admin, for operators: look, and mend."""

from backend.ops.admin import pages, records

__all__ = ["pages", "records"]
