"""What somebody whom mail does not reach is told by telephone: the notices, beside how the booking stands."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.deliveries import mail_again
from backend.bookings.lifecycle.telephone import record_told
from backend.bookings.models import Booking
from backend.core.formatting import short_day_and_time
from backend.core.row_ids import row_id
from backend.desk.booking.reveal_phone import may_reveal
from backend.desk.booking.summary import summary
from backend.desk.navigation import visible_bookings
from backend.desk.page import Page, render
from backend.desk.words import message_name
from backend.outbox import bundles, closed_mailboxes
from backend.outbox.by_telephone import to_tell
from backend.outbox.models import Message


def tell(request: HttpRequest, booking_id: int) -> HttpResponse:
    """GET: what is to be told. POST: it was told; what came since stays."""
    access, now = AccessPolicy(request.user), timezone.now()
    rows = visible_bookings(access).select_related("psychologist", "corporate")
    booking = rows.filter(pk=booking_id).first()
    if booking is None:
        raise Http404
    if request.method == "POST" and "mail_again" in request.POST:
        if mail_again(booking_id, actor=actors.for_account(request.user)):
            messages.success(request, f"Recorded: what comes next is mailed to {booking.email}.")
        return redirect("admin:bookings_booking_tell", booking_id)
    if request.method == "POST":
        told = record_told(
            booking_id, up_to=row_id(request.POST.get("up_to", "")), actor=actors.for_account(request.user), now=now
        )
        if told:
            messages.success(request, f"Recorded: {booking.full_name} was told.")
        else:
            messages.warning(request, "It was told before, or is no longer true. Nothing was changed.")
        return redirect("admin:index")
    owed = list(to_tell(now=now).filter(booking_id=booking_id))
    return render(
        request,
        "admin/bookings/booking/tell.html",
        title=f"Tell {booking.full_name}",
        model=Booking,
        booking=booking,
        phone=access.phone(booking),
        may_reveal=may_reveal(access),
        notices=list(dict.fromkeys(message_name(message.kind) for message in owed)),
        up_to=max((message.pk for message in owed), default=0),
        closed=closed_mailboxes.concerning(booking.email, proved_at=booking.verified_at),
        facts=summary(booking, access, now=now),
        others=[_line(one) for one in _others(booking, owed, access)],
    )


def _others(booking: Booking, owed: list[Message], access: AccessPolicy) -> list[Booking]:
    """The other sessions that a notice about several speaks of, by time."""
    ids = {pk for message in owed for pk in bundles.booking_ids(message)} - {booking.pk}
    return list(visible_bookings(access).filter(pk__in=ids).order_by("slot_start", "pk"))


def _line(booking: Booking) -> str:
    return f"{booking}: {short_day_and_time(booking.slot_start)}, {booking.get_state_display()}"


PAGE = Page("<int:booking_id>/tell/", "bookings_booking_tell", lambda access: access.decides, tell)
