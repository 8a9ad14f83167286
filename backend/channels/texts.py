"""What each template says, as it is registered with the providers: every word that a locked screen can show.

Whoever has the telephone in hand may be anybody. So no text names a person, the practice or what it is for, and none
leads anywhere: 40 characters hold no address that says nothing. What it is about stands in the mails before.
A change of a text is a new registration with each provider, and asks for the words to be held against a list again:
`tests/channels/test_texts.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.utils.translation import get_language

from backend.channels.channel import Template, TemplateMessage
from backend.core import formatting, languages

DEFAULT = "en"  # every channel has it
# by language, ISO 639-1; the variables stand where the providers have {{1}} and {{2}}
TEXTS: Mapping[Template, Mapping[str, str]] = {
    Template.SESSION_APPROACHING: {
        "en": "Reminder: your appointment is on {day} at {time}. You asked us to remind you here.",
        "hi": "याद दिलाना: आपका अपॉइंटमेंट {day} को {time} पर है। आपने यहाँ याद दिलाने को कहा था।",
    },
    Template.SESSION_IMMINENT: {
        "en": "Your appointment begins soon: {day} at {time}. You asked us to remind you here.",
        "hi": "आपका अपॉइंटमेंट जल्द शुरू होगा: {day}, {time} पर। आपने यहाँ याद दिलाने को कहा था।",
    },
}


def message(template: Template, starts_at: datetime, *, language: str, among: Collection[str]) -> TemplateMessage:
    """The template about an appointment at this time, on the practice's clock; in this language, if it is one of those
    in which the channel has it.
    """
    spoken = languages.or_default(language)
    spoken = spoken if spoken in TEXTS[template] and spoken in among else DEFAULT
    with languages.of(spoken):
        day = formatting.day_of_week(starts_at.astimezone(formatting.practice_zone()).date())
        return TemplateMessage(template, get_language() or DEFAULT, (day, formatting.clock_time(starts_at)))


def text(message: TemplateMessage) -> str:
    """What the person reads."""
    filled = dict(zip(message.template.variables, message.variables, strict=True))
    return TEXTS[message.template][message.language].format(**filled)
