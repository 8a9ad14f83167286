"""What a visitor types on the site and what staff type for a caller is judged, kept and refused alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.models import Booking
from backend.people.models import Client
from tests.support import api
from tests.support.admin_site import owner

# PostgreSQL also refuses what is too long for its column
pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]

NAMES = {"region": "state"}  # as the API names what the form names so
HOURS = {"preferred_period": "CUSTOM", "preferred_time_start": "16:30", "preferred_time_end": "18:00"}
UNPRINTABLE = ("a\x00b", "a\x07b", "a\x1bb", "a\x85b", "a\u2028b", "a\x7fb")
ANSWERS: dict[str, tuple[str, ...]] = {
    "full_name": (
        *UNPRINTABLE,
        "J",
        " J ",
        "Jo",
        "आशा राव",
        "  Asha \t",
        "é" * 120,
        "é" * 121,
        "",
        "\u200b\u200b",
        "\u2800\u2800",
    ),
    "email": (
        *("asha@müller.example", "asha@xn--mller-kva.example", "asha@straße.example", "asha@डाटामेल.भारत"),
        *("Asha@Example.ORG", "asha@i❤.example", "аsha@example.org", '"a\x01"@example.org', "asha@localhost"),
        *("asha", "asha@müller", "asha@" + "ü" * 60 + ".example", "a@" + "ü." * 120 + "example"),
    ),
    "phone_number": (*UNPRINTABLE, "9876543210", " 9876543210 ", "98765 43210", "98765", "९८७६५४३२१०"),
    "age": ("31", "३१", "1_0", "+31", "31.0", "0031", " 31", "120", "121", "-1", "12", "9" * 5000),
    "city": (*UNPRINTABLE, "Pune", "é" * 81),
    "region": (*UNPRINTABLE, "Kerala", "é" * 81, ""),
    "country": (*UNPRINTABLE, "Nepal", "é" * 81, "\u2800"),
    "emergency_contact": (*UNPRINTABLE, "Vikram 98765", "é" * 121),
    "user_message": ("a\x00b", "a\x07b", "a\nb\tc", "x" * 2001, ""),
    "sponsor_code": (*UNPRINTABLE, "acme-7q4k", "ß" * 20, "ß" * 21, "x" * 41, ""),
    "preferred_time_start": ("16:30", "16:30:45", "7:30", "१६:३०", "24:00", "18:00", "19:00", "noon", ""),
    "preferred_time_end": ("18:00:59", "6 pm", "16:30", "16:29", ""),
}


@pytest.fixture(autouse=True)
def _clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def desk() -> Browser:
    return owner()


def by_the_site(now: datetime, **changes: str) -> dict[str, Any] | Booking:
    """The row, or the first sentence of each field."""
    sent = api.form(now, **HOURS, sponsor_code="", user_message="Sleeps badly.")
    answer = api.post(api.DRAFT, {**sent, **{NAMES.get(name, name): value for name, value in changes.items()}})
    if answer.status_code == 201:
        return Booking.objects.latest("pk")
    ours = {theirs: name for name, theirs in NAMES.items()}
    assert answer.status_code == 400, answer.content
    return {ours.get(name, name): sentences[0] for name, sentences in answer.json()["errors"].items()}


def by_staff(desk: Browser, now: datetime, **changes: str) -> dict[str, Any] | Booking:
    """The same of the form for somebody on the phone."""
    form = api.form(now, **HOURS, sponsor_code="", user_message="Sleeps badly.", region="Maharashtra", consent="on")
    sent = {name: str(value) for name, value in form.items() if name not in ("state", "consent_given")}
    answer = desk.post(reverse("admin:bookings_booking_new"), {**sent, **changes})
    if answer.status_code == 302:
        return Booking.objects.latest("pk")
    assert answer.status_code == 400, answer.content
    return {name: sentences[0] for name, sentences in answer.context["form"].errors.items()}


@pytest.mark.parametrize(("field", "typed"), [(field, typed) for field, many in ANSWERS.items() for typed in many])
def test_both_doors_keep_the_same_or_refuse_with_the_same_sentence(
    field: str, typed: str, desk: Browser, now: datetime
) -> None:
    on_the_site = by_the_site(now, **{field: typed})
    on_the_phone = by_staff(desk, now, **{field: typed})
    if isinstance(on_the_site, dict) or isinstance(on_the_phone, dict):
        assert on_the_phone == on_the_site
    else:
        assert getattr(on_the_phone, field) == getattr(on_the_site, field)


SPELLINGS = ("asha@müller.example", "Asha@MÜLLER.example", "asha@mu\u0308ller.example", "asha@xn--mller-kva.example")


def test_an_address_in_other_letters_is_one_person_however_it_is_spelt(desk: Browser, now: datetime) -> None:
    for spelling in SPELLINGS:
        assert isinstance(by_the_site(now, email=spelling), Booking)
        assert isinstance(by_staff(desk, now, email=spelling), Booking)
    assert list(Client.objects.values_list("email", flat=True)) == ["asha@xn--mller-kva.example"]
    assert set(Booking.objects.values_list("email", flat=True)) == {"asha@xn--mller-kva.example"}
