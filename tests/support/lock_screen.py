"""What a locked screen must not show: who it is for, who it is from, and what it is about."""

from __future__ import annotations

# parts of words, casefolded; of each language whatever names the trade, the people in it and what they meet for
WORDS = {
    "en": (
        *(
            "session",
            "psych",
            "therap",
            "counsel",
            "mental",
            "mindf",
            "minds",
            "clinic",
            "patient",
            "client",
            "doctor",
            "dr.",
        ),
        *("health", "wellness", "treat", "consult", "practice", "practitioner", "diagnos", "depress", "anxiety"),
        *("room", "meeting", "payment", "paid", "cancel", "booking", "hello", "dear", "http", "www.", "/", "@"),
    ),
    "hi": (
        *("सत्र", "सेशन", "मनो", "थेरेपी", "थैरेपी", "परामर्श", "काउंस", "मानसिक", "क्लिनिक", "क्लीनिक", "मरीज़", "मरीज", "रोगी"),
        *("डॉक्टर", "डॉ", "स्वास्थ्य", "सेहत", "इलाज", "उपचार", "भुगतान", "बुकिंग", "कमरा", "बैठक", "प्रिय", "नमस्ते", "अवसाद"),
    ),
}


def shown(text: str, *, more: tuple[str, ...] = ()) -> list[str]:
    """Which of the words, of all languages, and of `more` stand in it."""
    words = [word for words in WORDS.values() for word in words] + list(more)
    return [word for word in words if word.casefold() in text.casefold()]
