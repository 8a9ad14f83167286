"""Passwords that many take. Of our length Django's list has few: whoever needs more types one twice, or two of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import CommonPasswordValidator as OfDjango

SHORTEST = 4  # of a part: shorter ones make words by chance
_SIGNS = re.compile(r"[\W_]+")
_YEAR = re.compile(r"\d{1,4}$")


class CommonPasswordValidator(OfDjango):
    """Refuses one of the list, two of it in a row, one with up to four digits behind, and what repeats itself.

    In any case of letters, with blanks and signs left out.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        typed = password.lower()
        common = next((one for one in self._parts(typed) if one in self.passwords), password)
        super().validate(min(self.passwords) if _repeats(typed) else common, user)

    def _parts(self, typed: str) -> Iterator[str]:
        """Each would make all of it common."""
        bare = _SIGNS.sub("", typed)
        yield from (bare, _YEAR.sub("", bare))
        for at in range(SHORTEST, len(bare) - SHORTEST + 1):
            if bare[:at] in self.passwords:
                yield bare[at:]


def _repeats(typed: str) -> bool:
    """Whether it is one part, twice or more, whichever: nobody types a good one twice."""
    return typed in (typed + typed)[1:-1]
