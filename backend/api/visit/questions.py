"""The questions of the form for a session, as a page asks them; what is an answer, the API's DraftRequest judges."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.api import reminder_ways
from backend.bookings.models import Gender, Mode, PaymentMode, Period
from backend.people import intake

Words = str | Promise


@dataclass(frozen=True)
class Question:
    """`kind` is an input's type, or `select`, `radio`, `textarea`. `autocomplete` is HTML's word for what is asked."""

    name: str
    label: Words
    kind: str = "text"
    hint: Words = ""
    autocomplete: str = ""
    choices: tuple[tuple[str, Words], ...] = ()
    longest: int = 0
    is_optional: bool = False


GENDERS = (
    (Gender.MALE.value, _("Male")),
    (Gender.FEMALE.value, _("Female")),
    (Gender.OTHER.value, _("Other")),
    (Gender.PREFER_NOT_TO_SAY.value, _("Prefers not to say")),
)
ABOUT_YOU = (
    Question("full_name", _("Full name"), autocomplete="name", longest=intake.FULL_NAME.longest),
    Question(
        "email",
        _("Email address"),
        "email",
        _("We mail a link there. Nothing goes to our team before you have opened it."),
        "email",
        longest=intake.EMAIL.longest,
    ),
    Question(
        "phone_number",
        _("Phone number"),
        "tel",
        _("Ten digits, or with + and the country's code."),
        "tel",
        longest=intake.PHONE_NUMBER.longest,
    ),
    Question("age", _("Age in years"), "number"),
    Question("gender", _("Gender"), "select", choices=GENDERS),
    Question("city", _("City"), autocomplete="address-level2", longest=intake.CITY.longest),
    Question("state", _("State"), autocomplete="address-level1", longest=intake.REGION.longest, is_optional=True),
    Question("country", _("Country"), autocomplete="country-name", longest=intake.COUNTRY.longest),
    Question(
        "emergency_contact",
        _("Emergency contact"),
        hint=_("Somebody whom we may call if you are in danger: name and number."),
        longest=intake.EMERGENCY_CONTACT.longest,
    ),
)
LAST = (
    Question(
        "payment_mode",
        _("How would you like to pay?"),
        "radio",
        choices=((PaymentMode.ONLINE.value, _("Online")), (PaymentMode.OFFLINE.value, _("At the practice"))),
    ),
    Question(
        "user_message",
        _("What brings you to us?"),
        "textarea",
        _(
            "Only if you like. It is encrypted, and read by the psychologist who treats you and those who decide "
            "about your request."
        ),
        longest=intake.USER_MESSAGE.longest,
        is_optional=True,
    ),
    Question(
        "sponsor_code",
        _("Code of your employer, if it pays for sessions"),
        longest=intake.SPONSOR_CODE.longest,
        is_optional=True,
    ),
)
WHERE = Question(
    "mode",
    _("Where would you like to meet?"),
    "radio",
    choices=((Mode.ONLINE.value, _("Online")), (Mode.OFFLINE.value, _("At the practice"))),
)
PERIOD = Question(
    "preferred_period",
    _("Which part of that day?"),
    "radio",
    choices=(
        (Period.MORNING.value, _("Morning")),
        (Period.EVENING.value, _("Evening")),
        (Period.CUSTOM.value, _("Between these hours:")),
    ),
)


def reminders() -> Question | None:
    """None is ticked: who chose before is asked nothing anew. None where there is nothing to choose."""
    choices = reminder_ways.offered()
    return Question("reminders_by", reminder_ways.QUESTION, "radio", choices=choices) if choices else None
