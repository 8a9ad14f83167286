"""What must never come out: unmistakable words for everything that a person types or that opens a door."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus

from tests.support import api

EMAIL = "zephyrine.quillfeather@leakymail.example"
PASSWORD = "tungsten lullaby 77"
TOKEN = "GARBLEDtoken0marzipan1lighthouse2"
BROKER_PASSWORD = "obsidiankettle"
MEETING_LINK = "https://meet.example.org/opalgrotto"
NOTE = "Marmalade arrives on Thursday"  # typed by staff, for the visitor
REASON = "A cinnamon quarrel"  # typed by staff, for themselves
GUARDIAN = "Ottoline Fernsby, aunt"
ENQUIRY = "My gossamer teapot weeps at night"
PERSON: dict[str, Any] = {
    "email": EMAIL,
    "full_name": "Zephyrine Quillfeather",
    "phone_number": "9812345670",
    "city": "Quixhaven",
    "country": "Walrusia",
    "emergency_contact": "Bartholomew Oglethorpe 9898989801",
    "user_message": "I buried the porcelain walrus",
    "sponsor_code": "VELVETOCTOPUS",
}
WORDS = (
    *("zephyrine", "quillfeather", "leakymail", "9812345670", "quixhaven", "plantagshire", "walrusia", "oglethorpe"),
    *("9898989801", "porcelain walrus", "velvetoctopus", "opalgrotto", "marmalade", "cinnamon quarrel"),
    *("gossamer teapot", "fernsby", "tungsten lullaby", "marzipan1lighthouse", "obsidiankettle"),
)


# as `draft_of` names them
DRAFT = {**{name: text for name, text in PERSON.items() if name != "email"}, "region": "Plantagshire"}
COLUMNS = {  # what stands in each column about people; a test says when one is missing
    **DRAFT,
    "email": EMAIL,
    "meeting_link": MEETING_LINK,
    "note_to_visitor": NOTE,
    "refund_note": REASON,
    "guardian_name": GUARDIAN,
    "subject": ENQUIRY,
    "text": ENQUIRY,
}


def form(now: datetime, **changes: Any) -> dict[str, Any]:
    """As the site's form sends it."""
    return api.form(now, **{**PERSON, "state": "Plantagshire", **changes})


def found_in(text: str, more: Iterable[str] = ()) -> set[str]:
    """The planted words, and `more` of them, that stand in a text: plain in any case, quoted for URLs, in base64."""
    lowered = text.lower()
    return {word for word in (*WORDS, *more) if any(form in lowered for form in _forms(word)) or _in_base64(word, text)}


def _forms(word: str) -> set[str]:
    lowered = word.lower()
    return {lowered, quote(lowered), quote_plus(lowered)}


def _in_base64(word: str, text: str) -> bool:
    """At any of the three places at which a word can begin within a group of three bytes, in its usual cases."""
    for spelt in {word, word.lower(), word.title()}:
        for before in range(3):
            coded = b64encode(b"\0" * before + spelt.encode()).decode().rstrip("=")
            inner = coded[[0, 2, 3][before] : -1]  # without the characters that depend on the neighbours
            if inner in text:
                return True
    return False
