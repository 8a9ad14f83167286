"""What we ask whoever wants a session: which answers we take, how they are kept, and the sentence that asks again.

The site's form, the form for a caller on the phone and the page of a client all judge here. Every reader raises
ValidationError. No sentence repeats what was typed: a lone surrogate in it could not be sent back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import cast

from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from backend.people import addresses, phones
from backend.people.models import Client, Corporate

UNPRINTABLE = gettext_lazy("Please remove characters that cannot be printed.")
NOT_GIVEN = "NA"  # the site's word for a state that was left out
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
_FILLERS = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters, marks and a symbol by category, blank to the eye
)
HOME = "India"  # the country, unless they say another


def too_long(ask: str) -> str:
    """The sentence that asks, with the limit `{max_length}`; in the language of whoever reads it."""
    return cast(str, format_lazy("{} {}", gettext_lazy(ask), _AT_MOST))


_AT_MOST = gettext_lazy("At most {max_length} characters.")


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class TextQuestion:
    """A question that is answered by a line, or by paragraphs. `kept` makes of an answer what is stored of it."""

    ask: str
    longest: int  # characters, typed and stored
    shortest: int = 1
    is_optional: bool = False
    has_paragraphs: bool = False
    kept: Callable[[str], str] = _same  # raises ValueError for what is no answer

    def parse(self, typed: str) -> str:
        """Trimmed; empty only where that is an answer."""
        text = typed.strip()
        if not is_printable(text, has_paragraphs=self.has_paragraphs):
            raise ValidationError(UNPRINTABLE)
        signs = visible_signs(text)
        if not signs and self.is_optional:
            return ""
        if signs < self.shortest:
            raise ValidationError(self.ask)
        self._refuse_longer(text)
        try:
            kept = self.kept(text)
        except ValueError as error:
            raise ValidationError(self.ask) from error
        self._refuse_longer(kept)
        return kept

    def _refuse_longer(self, text: str) -> None:
        if len(text) > self.longest:
            raise ValidationError(too_long(self.ask).format(max_length=self.longest))


@dataclass(frozen=True)
class NumberQuestion:
    """A question that is answered by a whole number, from `least` to `most`."""

    ask: str
    least: int
    most: int

    def parse(self, typed: object) -> int:
        """A number without fraction, or its ASCII digits."""
        if isinstance(typed, str) and re.fullmatch(r"[0-9]{1,9}", typed):
            typed = int(typed)
        if isinstance(typed, float) and typed.is_integer():
            typed = int(typed)
        if isinstance(typed, bool) or not isinstance(typed, int) or not self.least <= typed <= self.most:
            raise ValidationError(self.ask)
        return typed


@dataclass(frozen=True)
class TimeQuestion:
    """A question that is answered by an hour of the practice's day."""

    ask: str

    def parse(self, typed: object) -> time:
        """`HH:MM`; seconds may follow and are dropped."""
        pattern = r"([01][0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9])?"
        match = re.fullmatch(pattern, typed) if isinstance(typed, str) else None
        if match is None:
            raise ValidationError(self.ask)
        return time(int(match[1]), int(match[2]))


def is_printable(text: str, *, has_paragraphs: bool = False) -> bool:
    """No control characters, no lone surrogates, and in a line no breaks of lines."""
    if _is_plain(text):
        return True
    allowed, refused = ("\n\r\t", ("Cc", "Cs")) if has_paragraphs else ("", ("Cc", "Cs", "Zl", "Zp"))
    return all(sign in allowed or unicodedata.category(sign) not in refused for sign in text)


def visible_signs(text: str) -> int:
    """How many of its characters leave a mark: blanks, joiners and fillers do not."""
    if _is_plain(text):
        return len(text) - text.count(" ")
    return sum(sign not in _FILLERS and unicodedata.category(sign) not in _INVISIBLE for sign in text)


def _is_plain(text: str) -> bool:
    """Most answers are, and need no look at each letter, which takes ten times as long."""
    return text.isascii() and text.isprintable()


def hours(start: time | None, end: time | None, *, are_custom: bool) -> tuple[time | None, time | None]:
    """Both, or none where a part of the day was chosen. Raises ValidationError by field."""
    if not are_custom:
        return None, None
    if start is None or end is None:
        missing = "preferred_time_start" if start is None else "preferred_time_end"
        raise ValidationError({missing: gettext_lazy("Please enter the hours that suit, from and to.")})
    if end <= start:
        raise ValidationError({"preferred_time_end": gettext_lazy("The end must be after the start.")})
    return start, end


def _longest(name: str) -> int:
    """What the client's column holds; the booking's holds the same."""
    return getattr(Client._meta.get_field(name), "max_length", None) or 0


EMAIL = TextQuestion("Please enter a valid email address.", addresses.LONGEST, kept=addresses.canonical)
FULL_NAME = TextQuestion("Please enter a full name, of two letters or more.", _longest("full_name"), shortest=2)
# read as one of home; where a country was asked for too, `phones.canonical` reads it there again
PHONE_NUMBER = TextQuestion(
    "Please enter a phone number, 10 digits, or with + and the country's code.",
    _longest("phone_number"),
    kept=phones.canonical,
)
CITY = TextQuestion("Please enter a city.", _longest("city"))
REGION = TextQuestion("Please enter a state.", _longest("region"), is_optional=True)
COUNTRY = TextQuestion("Please enter a country.", _longest("country"))
EMERGENCY_CONTACT = TextQuestion("Please enter an emergency contact.", _longest("emergency_contact"))
# the youngest age is the practice's rule, and the intent's to judge
AGE = NumberQuestion("Please enter an age in years, at most 120.", 0, 120)
USER_MESSAGE = TextQuestion("Please write the message as text.", 2000, is_optional=True, has_paragraphs=True)
SPONSOR_CODE = TextQuestion(
    "Please write the sponsor's code as text.",
    Corporate._meta.get_field("code").max_length or 0,
    is_optional=True,
    kept=str.upper,
)
TIME_START = TimeQuestion("Please enter the hour to begin, as HH:MM.")
TIME_END = TimeQuestion("Please enter the hour to end, as HH:MM.")
