"""How an action is carried out, or only tried: for its own page, and for a session that is dragged in the calendar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.lifecycle.preview import preview_change
from backend.bookings.models import Booking
from backend.bookings.refusals import OVERTAKEN, overtaken, staff_sentence
from backend.core.errors import Code, Refused
from backend.desk import consequences
from backend.desk.booking.actions.action import Action, ActionForm, Decision
from backend.desk.consequences import Consequences
from backend.desk.decisions import Overtaken, if_unchanged
from backend.desk.forms import refuse
from backend.desk.navigation import booking_now


def decide(request: HttpRequest, action: Action[Any], form: ActionForm) -> int:
    """0 when it is done, else the status of the page that says why not."""
    status = unfit(request, action, form)
    if status:
        return status
    try:
        carry_out(action, Decision(form, actor=actors.for_account(request.user), now=timezone.now()))
    except Overtaken:
        form.add_error(None, _overtaken(action, booking_now(form.booking.pk)))
        return OVERTAKEN
    except Refused as refused:
        return refuse(form, refused, form.booking)
    return 0


def unfit(request: HttpRequest, action: Action[Any], form: ActionForm) -> int:
    """The status of a form that cannot be decided on, with its errors; else 0."""
    is_valid = form.is_valid()
    if request.POST.get("seen") != str(form.booking.ledger_sequence):
        form.add_error(None, _overtaken(action, form.booking))
        return OVERTAKEN
    return 0 if is_valid else 400


def follows(request: HttpRequest, action: Action[Any], form: ActionForm) -> Consequences:
    """What the action would do with what is typed, or what to type first."""
    if not form.is_valid():
        return consequences.not_yet(form.asks)
    return what_follows(action, Decision(form, actor=actors.for_account(request.user), now=timezone.now()))


def carry_out(action: Action[Any], decision: Decision[Any]) -> None:
    """Run the action's intent if the booking is as `decision.booking` says, else write nothing.

    Raises Refused, Overtaken.
    """
    booking = decision.booking
    if_unchanged(booking.pk, booking.ledger_sequence, lambda: action.run(decision))


def what_follows(action: Action[Any], decision: Decision[Any]) -> Consequences:
    """What `carry_out` would do now; nothing of it is done. Call with a valid form."""
    try:
        return consequences.told(preview_change(decision.booking.pk, lambda: carry_out(action, decision)))
    except Refused as refused:
        return consequences.refused(refused, decision.booking)
    except Overtaken:
        return consequences.not_yet(overtaken(decision.booking))


def _overtaken(action: Action[Any], booking: Booking) -> str:
    if action.is_open(booking, timezone.now()):
        return overtaken(booking)
    return staff_sentence(Refused(Code.STATE_REFUSES), booking)
