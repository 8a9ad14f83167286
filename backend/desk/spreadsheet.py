"""Text in a file for spreadsheets."""

from __future__ import annotations

# what a spreadsheet takes for a formula's beginning
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """Text that stays text where it is opened: https://owasp.org/www-community/attacks/CSV_Injection."""
    return f"'{text}" if text.lstrip(" ").startswith(_RUN) else text
