"""English left in what should be in another script: words of Latin letters, save those that have no other."""

from __future__ import annotations

import re

# names and signs that are the same in every language
KNOWN = frozenset(
    (
        *("UPI", "PDF", "JSON", "UUID", "IANA", "Google", "Shift", "MS", "HH", "MM", "YYYY", "DD", "Asia", "Kolkata"),
        *(
            "Authorization",
            "Token",
            "Content",
            "Type",
            "application",
            "json",
            "Idempotency",
            "Key",
            "ONLINE",
            "OFFLINE",
        ),
        *("despite_cancellation_request", "pay_if_not_sponsored", "despite_hours"),
    )
)
_NOT_WORDS = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.-]+|(?:MS|REF)-[0-9A-Z]+|\d{4}-\d\d-\d\dT\S+"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_WORD = re.compile(r"[A-Za-z_]{2,}")


def words(text: str, *names: str) -> list[str]:
    """Those of the text, without addresses and ids, and without `names`: of people, of the practice."""
    text = _NOT_WORDS.sub(" ", text)
    for name in names:
        text = text.replace(name, " ")
    return [word for word in _WORD.findall(text) if word not in KNOWN]


def of_html(html: str) -> str:
    """What a reader sees of a page: its text, its title, and what is said of its parts."""
    html = re.sub(r"<(style|script).*?</\1>", " ", html, flags=re.DOTALL)
    spoken = re.findall(r'(?:title|aria-label|alt|placeholder|data-yours)="([^"]*)"', html)
    return " ".join([re.sub(r"<[^>]*>", " ", html), *spoken])
