"""The rows of the list as a file: with what the account may see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking
from backend.core import disclosures, formatting
from backend.core.disclosures import Act
from backend.core.formatting import practice_zone
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page
from backend.desk.spreadsheet import csv_answer, csv_lines

log = logging.getLogger(__name__)
AT_ONCE = 2000  # rows read from the database
Column = Callable[[Booking, AccessPolicy], object]


@requires_fresh
def export(request: HttpRequest) -> HttpResponse:
    """The rows that the list shows under the same filters, all pages, newest first."""
    changes = admin.site.get_model_admin(Booking).get_changelist_instance(request)
    shown = changes.get_queryset(request).order_by("-pk")
    rows = shown.select_related("psychologist", "corporate").iterator(chunk_size=AT_ONCE)
    log.info("exported by %s", actors.for_account(request.user))
    return csv_answer("bookings.csv", lines(_recorded(rows), AccessPolicy(request.user)))


def _recorded(bookings: Iterator[Booking]) -> Iterator[Booking]:
    """Each counts as taken away, and the export when there are none."""
    disclosures.note_act(Act.EXPORTED, Booking, ())
    for booking in bookings:
        disclosures.note_act(Act.EXPORTED, Booking, (booking.pk,))
        yield booking


def lines(bookings: Iterator[Booking], access: AccessPolicy) -> Iterator[str]:
    """The head, and a line each; read a few at a time."""
    columns = {name: read for name, read in COLUMNS.items() if name != MONEY or access.sees_sums}
    rows = ([read(booking, access) for read in columns.values()] for booking in bookings)
    return csv_lines(chain([[*columns]], rows))


def _local(at: datetime | None) -> str:
    return f"{at.astimezone(practice_zone()):%Y-%m-%d %H:%M %Z}" if at else ""


MONEY = "rupees"  # a file of it is a sum
COLUMNS: dict[str, Column] = {
    "id": lambda booking, _: booking.acknowledgement_id,
    "state": lambda booking, _: booking.get_state_display(),
    "reason": lambda booking, _: booking.get_reason_display() if booking.reason else "",
    "name": lambda booking, _: booking.full_name,
    "address": lambda booking, _: booking.email,
    "telephone": lambda booking, access: access.phone(booking),
    "preferred day": lambda booking, _: booking.preferred_date.isoformat(),
    "preferred hours": lambda booking, _: booking.get_preferred_period_display(),
    "mode": lambda booking, _: booking.get_mode_display(),
    "pays": lambda booking, _: booking.get_payment_mode_display(),
    "sponsor": lambda booking, _: booking.corporate or "",
    "psychologist": lambda booking, _: booking.psychologist or "",
    "session": lambda booking, _: _local(booking.slot_start),
    "until": lambda booking, _: _local(booking.slot_end),
    MONEY: lambda booking, _: "" if booking.amount_paise is None else formatting.rupees(booking.amount_paise),
    "outcome": lambda booking, _: booking.get_outcome_display(),
    "requested": lambda booking, _: _local(booking.created_at),
    "deadline": lambda booking, _: _local(booking.due_at),
}

PAGE = Page("export/", "bookings_booking_export", lambda access: access.sees_bookings, export)
