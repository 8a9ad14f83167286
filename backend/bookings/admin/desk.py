"""What the desk's own pages share: which bookings an account sees, and the links to where it acts."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from backend.bookings.admin.actions import ACTIONS
from backend.bookings.models import Booking

_LABELS = {action.name: action.label for action in ACTIONS}


class Link(NamedTuple):
    """Where something is dealt with."""

    label: str
    url: str


def sees_bookings(request: HttpRequest) -> bool:
    """Some of them at least, be there any or not."""
    return request.user.has_perms(["bookings.view_booking"]) or decides(request)


def decides(request: HttpRequest) -> bool:
    """Who may act on what they see."""
    return request.user.has_perms(["bookings.change_booking"])


def seen_by(request: HttpRequest) -> QuerySet[Booking]:
    """The bookings that the account sees."""
    rows: QuerySet[Booking] = Booking.objects.all()
    return rows if sees_bookings(request) else rows.none()


def of_booking(booking: Booking) -> Link:
    """To its page, named by its id."""
    return Link(booking.acknowledgement_id, reverse("admin:bookings_booking_change", args=[booking.pk]))


def act(booking: Booking, name: str) -> Link:
    """To the page of an action, which says what would happen and asks."""
    return Link(_LABELS[name], reverse(f"admin:bookings_booking_{name}", args=[booking.pk]))
