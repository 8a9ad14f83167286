"""The fields of staff's requests that the site's form has not: rupees, flags, passwords."""

from __future__ import annotations

import re
from typing import Any

from backend.accounts import scopes
from backend.api.fields import StrictField

PAISE_MOST = 2_147_483_647  # what the columns of sums hold


class RupeesField(StrictField):
    """Rupees as text, with two decimals or none, `"1500.00"`; read as paise."""

    def to_internal_value(self, data: Any) -> int:
        match = re.fullmatch(r"([0-9]{1,8})(?:\.([0-9]{2}))?", data) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        paise = int(match[1]) * 100 + int(match[2] or 0)
        if paise > PAISE_MOST:
            self.fail("invalid")
        return paise


class FlagField(StrictField):
    """JSON's `true` or `false`; absent means false."""

    def __init__(self, ask: str) -> None:
        super().__init__(ask, required=False, default=False)

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class PasswordField(StrictField):
    """Text as it is, not trimmed; at most what is worth hashing."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not 0 < len(data) <= 200 or not _can_be_sent(data):
            self.fail("invalid")
        return data


class ScopesField(StrictField):
    """Scopes with blanks between them, kept in the order of `accounts.scopes`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(f"Please choose scopes: {' '.join(scopes.ALL)}.", required=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return scopes.joined(data.split(" ")) if isinstance(data, str) else self.fail("invalid")
        except ValueError:
            self.fail("invalid")


def _can_be_sent(text: str) -> bool:
    """Whether there are bytes for it: JSON can hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
