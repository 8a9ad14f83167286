"""The page of every action of staff: what is decided, what follows, and the booking beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle.read_receipts import mark_message_read
from backend.bookings.models import Booking
from backend.bookings.refusals import last_step
from backend.core.formatting import short_day_and_time
from backend.desk import consequences
from backend.desk.booking.actions.action import Action, ActionForm
from backend.desk.booking.actions.decide import decide, follows, unfit
from backend.desk.booking.actions.table import ACTIONS, url_name
from backend.desk.booking.summary import summary
from backend.desk.consequences import Consequences
from backend.desk.forms import opened
from backend.desk.navigation import booking_link, booking_now, booking_to_decide
from backend.desk.page import Page, render
from backend.desk.result import describe_result
from backend.desk.way_back import return_from, way_back


def act(request: HttpRequest, booking_id: int, *, action: Action[Any]) -> HttpResponse:
    """What will happen, and on POST what happened; a refusal is shown beside what was typed.

    A decision counts only for the booking as it was when the page was opened: `seen` is that ledger sequence. Sent with
    `preview`, what is typed is tried and told, and nothing is done. Afterwards the page returns to where it came from.
    """
    access = AccessPolicy(request.user)
    booking = booking_to_decide(access, booking_id, action.scope)
    if request.method == "POST":
        form = _form(action, access, booking, request.POST)
        if "preview" in request.POST:
            return _preview(request, action, form)
        status = decide(request, action, form)
        if status:
            return _page(request, action, form, status, consequences.not_yet(consequences.MEND))
        messages.success(request, describe_result(booking_now(booking_id)))
    elif action.is_open(booking, timezone.now()):
        offered = {"offered": request.GET["offered"]} if "offered" in request.GET else None
        form = _form(action, access, booking, initial=offered)
        return _page(request, action, form, 200, follows(request, action, opened(form)))
    else:
        messages.warning(request, f"“{action.label}” is not possible now. {last_step(booking)}")
    return return_from(request, booking_id)


def _form(action: Action[Any], access: AccessPolicy, booking: Booking, *typed: Any, **initial: Any) -> ActionForm:
    form: ActionForm = action.form(booking, *typed, **initial)
    if not access.sets_prices:
        form.keep_to_fees()
    return form


def _preview(request: HttpRequest, action: Action[Any], form: ActionForm) -> HttpResponse:
    status = unfit(request, action, form)
    told = follows(request, action, form) if not status else consequences.not_yet(consequences.MEND)
    return _page(request, action, form, status or 200, told)


def _page(request: HttpRequest, action: Action[Any], form: ActionForm, status: int, told: Consequences) -> HttpResponse:
    booking, access, now = booking_now(form.booking.pk), AccessPolicy(request.user), timezone.now()
    if request.method == "GET" and access.reads_message(booking):
        mark_message_read(booking.pk, now=now)
    return render(
        request,
        "admin/bookings/booking/action.html",
        title=f"{action.label}: {booking}",
        model=Booking,
        status=status,
        booking=booking,
        action=action,
        form=form,
        is_open=action.is_open(booking, now),
        consequences=told,
        about=summary(booking, access, now=now),
        back=way_back(request) or booking_link(booking).url,
        choice_open_until=short_day_and_time(booking.choose_by),
        asked_to_cancel=short_day_and_time(booking.cancellation_requested_at),
    )


def _may_open(access: AccessPolicy, *, scope: Scope) -> bool:
    return access.may_act_on_some(scope)


PAGES = [
    Page(
        f"<int:booking_id>/{action.name}/",
        url_name(action),
        partial(_may_open, scope=action.scope),
        partial(act, action=action),
    )
    for action in ACTIONS
]
