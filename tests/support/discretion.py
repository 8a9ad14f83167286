"""What a gateway, and so the payer's bank and its statement, must not learn: who pays, and what the practice is for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

OF_PRACTICE = ("counsel", "psych", "therap", "mental", "patient", "mindsettler")
OF_PEOPLE = ("asha", "vikram", "dr. ", "@", "+91", "98765")  # whoever tests send there
# ids are drawn by lot, so that any word can stand in one
_IDS = re.compile(r"\b(?:(?:PAY|REF|MS)-[0-9A-Z]{6,}|(?:plink|order|pay|rfnd|cs_test|pi|ch|py|re)_[0-9A-Za-z]{14,})")


def told(sent: Iterable[str], *, words: Iterable[str] = ()) -> list[str]:
    """Each of these words, and of `words`, that stands in something that was sent, with what stands around it."""
    wanted = [word.casefold() for word in (*OF_PRACTICE, *OF_PEOPLE, *words)]
    texts = [_IDS.sub("…", f"{text} {unquote_plus(text)}").casefold() for text in sent]
    return [f"{word}: {_around(text, word)}" for text in texts for word in wanted if word in text]


def _around(text: str, word: str) -> str:
    at = text.index(word)
    return " ".join(text[max(0, at - 60) : at + 60].split())
