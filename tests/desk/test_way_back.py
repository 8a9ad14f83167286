"""An act of staff returns to the page from which it was begun, and to no other place."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.models import Booking
from tests.support import scenarios
from tests.support.admin_site import action_url, form_of, list_url, page_url

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock")]
HERE = "http://testserver"
CALENDAR = "/admin/calendar/?view=timeGridWeek&date=2026-11-23"


def declined(desk: Browser, booking: Booking, **headers: str) -> str:
    """Where staff are led after declining a request."""
    typed = form_of(booking, note_to_visitor="We are full.")
    answer = desk.post(action_url(booking, "reject"), typed, headers=headers)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


@pytest.mark.parametrize("place", ["/admin/", CALENDAR, "/admin/bookings/booking/?state__exact=PENDING"])
def test_the_page_of_an_act_remembers_where_it_was_opened(desk: Browser, now: datetime, place: str) -> None:
    booking = scenarios.pending(now=now)
    page = desk.get(action_url(booking, "reject"), headers={"referer": HERE + place})
    assert page.context["back"] == place
    stale = {**form_of(booking, back=place), "seen": "0"}
    refused = desk.post(action_url(booking, "reject"), stale, headers={"referer": HERE + action_url(booking, "reject")})
    assert (refused.status_code, refused.context["back"]) == (409, place)
    typed = form_of(booking, note_to_visitor="We are full.", back=place)
    assert desk.post(action_url(booking, "reject"), typed).headers["Location"] == place


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/admin/",
        "http://testserver/admin/logout/",
        "http://testserver/nowhere/",
        "javascript:x",
        "",
    ],
)
def test_any_other_place_is_the_bookings_page(desk: Browser, now: datetime, elsewhere: str) -> None:
    booking = scenarios.pending(now=now)
    assert declined(desk, booking, referer=elsewhere) == page_url(booking)


def test_a_decision_about_many_returns_to_the_list_as_it_was_narrowed(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    narrowed = f"{list_url(Booking)}?state__exact=PENDING"
    url = f"{reverse('admin:bookings_booking_many', args=['reject'])}?ids={booking.pk}"
    page = desk.get(url, headers={"referer": HERE + narrowed})
    assert page.context["back"] == narrowed
    typed = {f"seen-{booking.pk}": str(booking.ledger_sequence), "note_to_visitor": "We are full.", "back": narrowed}
    assert desk.post(url, typed).headers["Location"] == narrowed
