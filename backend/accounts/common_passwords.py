"""Passwords that many take. Django's list has few of our length; whoever needs more characters puts some together.

The list is in the order of how many take each. What somebody makes of its first n words, k of them in a row, with d
digits between or behind, is among n^k * 10^d tries.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import CommonPasswordValidator as OfDjango

TRIES = 10**9  # any two of the list; one with four digits; three of the first thousand; four of the first 177
WORDS_MOST, DIGITS_MOST = 8, 6  # more are beyond it
SHORTEST = 3  # of a word: shorter ones make others by chance
_WORD = re.compile(r"\w{3,}")
_SIGNS = re.compile(r"[\W_]+")
_HEAD = re.compile(r".*[^\W\d_]", re.DOTALL)  # without the digits and signs behind
_LOOKS_LIKE = str.maketrans("@4310$57!", "aaeiossti")  # as in P@ssw0rd


class CommonPasswordValidator(OfDjango):
    """Refuses what is among the first TRIES, in any case of letters and with signs left out, and what is regular."""

    def validate(self, password: str, user: User | None = None) -> None:
        typed = password.lower()
        is_common = _is_regular(typed) or any(map(self._is_put_together, _spellings(typed)))
        super().validate(min(self.passwords) if is_common else password, user)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        with gzip.open(self.DEFAULT_PASSWORD_LIST_PATH, "rt", encoding="utf-8") as lines:
            listed = {word.strip(): rank for rank, word in enumerate(lines, start=1)}
        return listed | dict.fromkeys(_WORD.findall(settings.PRACTICE_NAME.lower()), 1)  # the first that come to mind

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._ranks))

    def _is_put_together(self, bare: str) -> bool:
        if len(bare) > WORDS_MOST * self._longest + DIGITS_MOST:
            return False
        # by where it ends: numbers of words and digits, and the rarest word, at best
        ways: list[dict[tuple[int, int], int]] = [{(0, 0): 1}] + [{} for _ in bare]
        for at, sign in enumerate(bare):
            for (words, digits), rarest in ways[at].items():
                if sign.isdigit() and digits < DIGITS_MOST:
                    _keep(ways[at + 1], (words, digits + 1), rarest)
                for end in self._ends(bare, at) if words < WORDS_MOST else ():
                    _keep(ways[end], (words + 1, digits), max(rarest, self._ranks[bare[at:end]]))
        return any(rarest**words * 10**digits < TRIES for (words, digits), rarest in ways[-1].items())

    def _ends(self, bare: str, at: int) -> list[int]:
        """Of the list's words that begin here."""
        ends = range(at + SHORTEST, min(len(bare), at + self._longest) + 1)
        return [end for end in ends if bare[at:end] in self._ranks]


def _keep(ways: dict[tuple[int, int], int], way: tuple[int, int], rarest: int) -> None:
    ways[way] = min(rarest, ways.get(way, rarest))


def _spellings(typed: str) -> Iterator[str]:
    """As it stands, and with what looks like a letter read as one, save in the year behind."""
    yield _SIGNS.sub("", typed)
    head = _HEAD.match(typed)
    if head is not None:
        yield _SIGNS.sub("", head[0].translate(_LOOKS_LIKE) + typed[head.end() :])


def _is_regular(typed: str) -> bool:
    """One part twice or more, whichever, as nobody types a good one twice; or each sign as far from the one before."""
    return typed in (typed + typed)[1:-1] or len({ord(after) - ord(sign) for sign, after in pairwise(typed)}) <= 1
