"""Our questions to whoever wants a session: what is an answer, and what is kept of it."""

from __future__ import annotations

from datetime import time

import pytest
from django.core.exceptions import ValidationError

from backend.bookings.models import Booking
from backend.people import intake

pytestmark = pytest.mark.sqlite_only
TEXTS = {
    "email": intake.EMAIL,
    "full_name": intake.FULL_NAME,
    "phone_number": intake.PHONE_NUMBER,
    "city": intake.CITY,
    "region": intake.REGION,
    "country": intake.COUNTRY,
    "emergency_contact": intake.EMERGENCY_CONTACT,
    "sponsor_code": intake.SPONSOR_CODE,
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_an_answer_fits_the_column_of_the_booking_that_keeps_it(name: str) -> None:
    assert Booking._meta.get_field(name).max_length == TEXTS[name].longest


def test_a_code_that_grows_in_upper_case_is_measured_as_it_is_kept() -> None:
    assert intake.SPONSOR_CODE.parse("ß" * 20) == "SS" * 20
    with pytest.raises(ValidationError, match="At most 40 characters"):
        intake.SPONSOR_CODE.parse("ß" * 21)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\u2028b", "a\ud800b", "a\x7fb"])
def test_a_line_holds_only_what_can_be_printed(text: str) -> None:
    for question in TEXTS.values():
        with pytest.raises(ValidationError, match="cannot be printed"):
            question.parse(text)


def test_paragraphs_hold_breaks_and_nothing_else_that_cannot_be_printed() -> None:
    assert intake.USER_MESSAGE.parse(" a\r\n\tb\u2029c ") == "a\r\n\tb\u2029c"
    with pytest.raises(ValidationError, match="cannot be printed"):
        intake.USER_MESSAGE.parse("a\x07b")


@pytest.mark.parametrize(("text", "name"), [(" Jo ", "Jo"), ("आशा", "आशा"), ("ക്‍ഷ", "ക്‍ഷ")])
def test_a_name_is_kept_as_it_is_trimmed(text: str, name: str) -> None:
    assert intake.FULL_NAME.parse(text) == name


@pytest.mark.parametrize(
    "text", ["\u200b\u200b", "\u2800\u2800", "\u3164\u3164", "\ufeff\u00ad", "J\u200b", "\u2060", "\u115f\uffa0"]
)
def test_a_name_of_signs_that_nobody_sees_is_none(text: str) -> None:
    with pytest.raises(ValidationError, match="full name"):
        intake.FULL_NAME.parse(text)
    assert intake.REGION.parse("\u200b\u2800") == ""


def test_hours_are_both_or_none() -> None:
    four, five = time(16), time(17)
    assert intake.hours(four, five, are_custom=True) == (four, five)
    assert intake.hours(four, five, are_custom=False) == (None, None)
    for start, end, wrong in (
        (None, five, "preferred_time_start"),
        (four, None, "preferred_time_end"),
        (None, None, "preferred_time_start"),
        (four, four, "preferred_time_end"),
        (five, four, "preferred_time_end"),
    ):
        with pytest.raises(ValidationError) as refused:
            intake.hours(start, end, are_custom=True)
        assert list(refused.value.message_dict) == [wrong]


@pytest.mark.parametrize("has_paragraphs", [False, True])
def test_ascii_is_judged_in_a_hurry_as_it_is_with_care(has_paragraphs: bool) -> None:
    careful = "\u00e9"  # beside which nothing is judged in a hurry
    for sign in map(chr, range(128)):
        for text in (sign, f"a{sign} b"):
            assert intake.is_printable(text, has_paragraphs=has_paragraphs) == intake.is_printable(
                text + careful, has_paragraphs=has_paragraphs
            ), repr(sign)
            assert intake.visible_signs(text) + 1 == intake.visible_signs(text + careful), repr(sign)
