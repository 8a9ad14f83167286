"""What the desk's own pages share: which bookings an account sees, links to them, and instants in an address."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.models import Booking
from backend.core.formatting import practice_zone

CHANGE = "admin:bookings_booking_change"
TELL = "admin:bookings_booking_tell"
NO_BOOKING = 10**17  # no row has it, and no address holds it otherwise


class PageLink(NamedTuple):
    """Where something is dealt with."""

    label: str
    url: str


def visible_bookings(access: AccessPolicy) -> QuerySet[Booking]:
    """The bookings that the account sees."""
    return Booking.objects.filter(access.bookings())


def booking_to_decide(access: AccessPolicy, booking_id: int, scope: Scope) -> Booking:
    """With who gives and who pays the session. For those who may not decide a thing of this scope: not found."""
    rows = Booking.objects.select_related("corporate", "psychologist")
    return get_object_or_404(rows.filter(access.bookings_to(scope)), pk=booking_id)


def booking_now(booking_id: int) -> Booking:
    """As it stands after a decision."""
    return Booking.objects.select_related("corporate", "psychologist").get(pk=booking_id)


def booking_url(name: str, booking_id: int) -> str:
    """Of a page of one booking. A list has hundreds, so each address is made once and gets the booking's id."""
    return _address(name).format(booking_id)


@cache
def _address(name: str) -> str:
    return reverse(name, args=[NO_BOOKING]).replace(str(NO_BOOKING), "{}")


def booking_link(booking: Booking) -> PageLink:
    """To its page, named by its id."""
    return PageLink(booking.acknowledgement_id, booking_url(CHANGE, booking.pk))


def to_booking(booking_id: int) -> HttpResponse:
    """Back to its page."""
    return redirect(CHANGE, booking_id)


def local_instant(text: str) -> datetime | None:
    """`2026-11-23T18:00:00` on the practice's clock; None for anything else."""
    try:
        found = datetime.fromisoformat(text).replace(tzinfo=practice_zone(), microsecond=0)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None  # beyond, some zone's arithmetic leaves the calendar
