"""Ids of rows, as a form or an address sends them."""

from __future__ import annotations

DIGITS_MOST = 18  # that any database's ids have; of more than 4,300 Python reads no number, and raises


def row_id(text: str) -> int:
    """0, which no row has, for what is no id."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MOST else 0
