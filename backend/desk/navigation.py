"""What the desk's own pages share: which bookings an account sees, and the links to where it acts."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import QuerySet
from django.urls import reverse

from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking
from backend.desk.booking.actions import ACTIONS

_ACTIONS = {action.name: action for action in ACTIONS}


class Link(NamedTuple):
    """Where something is dealt with."""

    label: str
    url: str


def visible_bookings(access: AccessPolicy) -> QuerySet[Booking]:
    """The bookings that the account sees."""
    return Booking.objects.filter(access.bookings())


def booking_link(booking: Booking) -> Link:
    """To its page, named by its id."""
    return Link(booking.acknowledgement_id, reverse("admin:bookings_booking_change", args=[booking.pk]))


def action_links(access: AccessPolicy, booking: Booking, *names: str) -> tuple[Link, ...]:
    """To the pages of those actions that are the account's to take; each says what would happen, and asks."""
    return tuple(
        Link(action.label, reverse(f"admin:bookings_booking_{action.name}", args=[booking.pk]))
        for action in (_ACTIONS[name] for name in names)
        if access.may_act(booking, action.scope)
    )
