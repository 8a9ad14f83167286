"""What somebody writes back who wants no more messages."""

from __future__ import annotations

import re

# What networks of telephones know (CTIA's list), and what people write in Hindi, in either script
_FIRST = frozenset(
    {"stop", "stopall", "unsubscribe", "quit", "बंद", "बन्द", "रोकें", "रोको", "रुकें", "band", "bandh", "roko"}
)
_ALONE = frozenset({"cancel", "end", "no more", "opt out", "optout", "mat bhejo", "मत भेजो", "मत भेजें", "नहीं चाहिए"})
_NO_WORD = re.compile(r"[\s!-/:-@\[-`{-~।]+")  # spaces, ASCII's signs, and the full stop of Devanagari
LONGEST = 200  # characters that are looked at


def asks_to_stop(text: str) -> bool:
    """Whether it begins with a word that says so, or consists of one that says it alone."""
    words = _NO_WORD.sub(" ", text[:LONGEST].casefold()).strip()
    return words in _ALONE or words.partition(" ")[0] in _FIRST
