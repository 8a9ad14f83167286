"""What the calendar opens beside itself: a booking with its actions, and the question before a dragged session moves.

A drag is the action “Reschedule” with its time and psychologist typed: same form, same intent, same refusals.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone

from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.read_receipts import mark_message_read
from backend.bookings.models import Booking
from backend.bookings.payment_status import takes_at_desk
from backend.core.formatting import practice_zone, short_day_and_time
from backend.core.row_ids import row_id
from backend.desk.booking.actions.decide import decide, follows
from backend.desk.booking.actions.reschedule import MoveForm, Reschedule
from backend.desk.booking.actions.table import action_links, open_to
from backend.desk.booking.one_click import outcome_clicks, payment_click
from backend.desk.booking.summary import summary
from backend.desk.navigation import booking_link, booking_to_decide, local_instant, visible_bookings
from backend.desk.page import Page
from backend.desk.result import describe_result
from backend.people.models import Psychologist

MOVE = Reschedule()


def panel(request: HttpRequest, booking_id: int) -> HttpResponse:
    """One booking, as a part of the calendar's page."""
    access, now = AccessPolicy(request.user), timezone.now()
    rows = visible_bookings(access).select_related("psychologist", "corporate")
    booking = get_object_or_404(rows, pk=booking_id)
    if access.reads_message(booking):
        mark_message_read(booking.pk, now=now)
    owed_paise = rows.filter(pk=booking_id).values_list(takes_at_desk(), flat=True).get()
    context = {
        "booking": booking,
        "link": booking_link(booking),
        "about": summary(booking, access, now=now),
        "clicks": outcome_clicks(access, booking, now=now) + payment_click(access, booking, owed_paise=owed_paise),
        "actions": [
            (*action_links(access, booking, action.name), action.tone) for action in open_to(access, booking, now=now)
        ],
    }
    return TemplateResponse(request, "admin/desk/_panel.html", context)


def drag(request: HttpRequest, booking_id: int) -> HttpResponse:
    """GET asks what a drag would do; POST does it, and answers with what was done or why not."""
    booking = booking_to_decide(AccessPolicy(request.user), booking_id, MOVE.scope)
    if request.method != "POST":
        return _question(request, booking, None, 200)
    form = MoveForm(booking, request.POST)
    status = decide(request, MOVE, form)
    if status:
        return _question(request, booking, form, status)
    moved = Booking.objects.select_related("psychologist").get(pk=booking_id)
    return JsonResponse({"told": describe_result(moved)})


def _question(request: HttpRequest, booking: Booking, form: MoveForm | None, status: int) -> HttpResponse:
    sent = request.POST if form else request.GET
    start = local_instant(f"{sent.get('slot_start_0', '')}T{sent.get('slot_start_1', '')}")
    if start is None:
        return HttpResponseBadRequest("Where to?")
    chosen = row_id(sent.get("psychologist", ""))
    rows = Psychologist.objects.filter(is_active=True)
    to = get_object_or_404(rows, pk=chosen) if chosen else None
    local = start.astimezone(practice_zone())
    day, hour, who = f"{local:%Y-%m-%d}", f"{local:%H:%M}", str(to.pk) if to else ""
    typed = QueryDict(mutable=True)
    typed.update({"slot_start_0": day, "slot_start_1": hour, "psychologist": who, "seen": sent.get("seen", "")})
    context = {
        "booking": booking,
        "was": f"{short_day_and_time(booking.slot_start)}, {booking.psychologist}",
        "will_be": f"{short_day_and_time(start)}, {to or booking.psychologist}",
        "typed": typed,
        "errors": [error for errors in form.errors.values() for error in errors] if form else [],
        "may_insist": form is not None and "despite_hours" in form.errors,
        "consequences": None if form else follows(request, MOVE, MoveForm(booking, typed)),
        "whole_form": action_links(AccessPolicy(request.user), booking, MOVE.name)[0],
    }
    return TemplateResponse(request, "admin/desk/_move.html", context, status=status)


PAGES = [
    Page("<int:booking_id>/panel/", "bookings_booking_panel", lambda access: access.sees_bookings, panel),
    Page("<int:booking_id>/drag/", "bookings_booking_drag", lambda access: access.may_act_on_some(MOVE.scope), drag),
]
