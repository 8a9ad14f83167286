"""The table of what staff do with a booking: one row an action, from its button to the intent that it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from backend.bookings import policy
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle import approval, cancellation, front_desk, refunds
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.foretelling import foretell
from backend.bookings.lifecycle.rescheduling import reschedule
from backend.bookings.machine import HOLDS_SLOT, TAKES_PLACE
from backend.bookings.models import Booking, Outcome
from backend.bookings.payment_status import PaymentStatus, left_paise, payment_status
from backend.bookings.refusals import overtaken
from backend.core.errors import Refused
from backend.desk.booking import consequences
from backend.desk.booking.consequences import Consequences
from backend.desk.booking.forms import (
    ActionForm,
    CancelForm,
    OutcomeForm,
    RefundForm,
    RefundMadeForm,
    SponsorForm,
    to_paise,
)
from backend.desk.booking.refunds_to_settle import refunds_to_settle
from backend.desk.booking.reject_form import RejectForm
from backend.desk.booking.session_forms import ApprovalForm, MoveForm

Opening = Callable[[Booking, datetime], bool]


class Overtaken(Exception):
    """The booking changed between the page that staff decided on and their decision; nothing was written."""


@dataclass(frozen=True)
class Decision:
    """What somebody typed into a valid form, who they are and when it was."""

    form: ActionForm
    actor: str
    now: datetime

    @property
    def booking(self) -> Booking:
        return self.form.booking

    @property
    def typed(self) -> dict[str, Any]:
        return self.form.cleaned_data


@dataclass(frozen=True)
class Action:
    """`is_open` only decides whether the button is shown: whether an action may run is the lifecycle's to say."""

    name: str  # in the page's address
    label: str  # of the button on the booking's page, and the title of the action's own
    submit: str  # of the button that acts
    tone: str  # of both: Bootstrap's name of a colour
    form: type[ActionForm]
    is_open: Opening
    run: Callable[[Decision], object]
    scope: Scope = Scope.DESK


def carry_out(action: Action, decision: Decision) -> None:
    """Run the action's intent if the booking is as `decision.booking` says, else write nothing.

    Every intent writes one ledger row under the booking's lock: if it is not the next one after the row that staff saw,
    somebody else's stands between. Raises Refused, Overtaken.
    """
    booking = decision.booking
    if_unchanged(booking.pk, booking.ledger_sequence, lambda: action.run(decision))


def what_follows(action: Action, decision: Decision) -> Consequences:
    """What `carry_out` would do now; nothing of it is done. Call with a valid form."""
    try:
        return consequences.told(foretell(decision.booking.pk, lambda: carry_out(action, decision)))
    except Refused as refused:
        return consequences.refused(refused, decision.booking)
    except Overtaken:
        return consequences.not_yet(overtaken(decision.booking))


def if_unchanged(booking_id: int, seen: int, act: Callable[[], object]) -> None:
    """Run an intent for a booking whose last ledger row was `seen`. Raises Refused, Overtaken."""
    with transaction.atomic():
        act()
        now_at = Booking.objects.values_list("ledger_sequence", flat=True).get(pk=booking_id)
        if now_at != seen + 1:
            raise Overtaken


def open_to(access: AccessPolicy, booking: Booking, *, now: datetime) -> list[Action]:
    """The actions whose buttons the booking's page shows to somebody."""
    return [action for action in ACTIONS if access.may_act(booking, action.scope) and action.is_open(booking, now)]


# -- when is it possible? ----------------------------------------------------------------------------------------------


def _leads_on(*transitions: Callable[..., None]) -> Opening:
    """While the machine lets the booking take one of these steps."""
    names = {transition.__name__ for transition in transitions}

    def is_open(booking: Booking, _now: datetime) -> bool:
        steps = booking.get_available_state_transitions()
        return any(step.name in names for step in steps)

    return is_open


def _has_slot(booking: Booking, _now: datetime) -> bool:
    return booking.state in HOLDS_SLOT


def _awaits_money(booking: Booking, now: datetime) -> bool:
    """Instead of a payment online, or at the practice once the session is confirmed."""
    if _leads_on(Booking.confirm)(booking, now):
        return True
    was_settled = booking.state in TAKES_PLACE
    return was_settled and payment_status(booking) is PaymentStatus.DUE_AT_PRACTICE


def _has_money(booking: Booking, _now: datetime) -> bool:
    return left_paise(booking) > 0


def _owes_money_by_hand(booking: Booking, _now: datetime) -> bool:
    return bool(refunds_to_settle(booking))


def _was_held(booking: Booking, now: datetime) -> bool:
    """From the session's start until outcomes are closed."""
    if booking.state not in TAKES_PLACE or not (booking.slot_start and booking.slot_end):
        return False
    return booking.slot_start <= now < booking.slot_end + policy.OUTCOME_OPEN_FOR


# -- what is called? ---------------------------------------------------------------------------------------------------


def _approve(by: Decision) -> None:
    assert isinstance(by.form, ApprovalForm)
    approval.approve(by.booking.pk, by.form.approval(), actor=by.actor, now=by.now)


def _reject(by: Decision) -> None:
    assert isinstance(by.form, RejectForm)
    approval.reject(
        by.booking.pk,
        note_to_visitor=by.typed["note_to_visitor"],
        offers=by.form.offers(),
        guardian_consent=by.typed.get("guardian_consent", False),
        actor=by.actor,
        now=by.now,
    )


def _cancel(by: Decision) -> None:
    cancellation.cancel_by_staff(
        by.booking.pk,
        note_to_visitor=by.typed["note_to_visitor"],
        refund=RefundChoice(by.typed.get("refund", RefundChoice.FULL)),
        refund_reason=by.typed.get("refund_reason", ""),
        actor=by.actor,
        now=by.now,
    )


def _reschedule(by: Decision) -> None:
    assert isinstance(by.form, MoveForm)
    reschedule(by.booking.pk, by.form.move(), actor=by.actor, now=by.now)


def _record_payment(by: Decision) -> None:
    front_desk.record_desk_payment(by.booking.pk, actor=by.actor, now=by.now)


def _sponsor(by: Decision) -> None:
    corporate = by.typed["corporate"]
    front_desk.sponsor(by.booking.pk, corporate.pk if corporate else None, actor=by.actor, now=by.now)


def _refund(by: Decision) -> None:
    refunds.grant_refund(by.booking.pk, to_paise(by.typed["amount"]), actor=by.actor, now=by.now)


def _refund_made(by: Decision) -> None:
    refunds.record_refund_made(by.typed["refund"].pk, actor=by.actor, now=by.now)


def _record_outcome(by: Decision) -> None:
    front_desk.record_outcome(by.booking.pk, Outcome(by.typed["outcome"]), actor=by.actor, now=by.now)


ACTIONS = (
    Action(
        "approve", "Approve", "Approve and tell the visitor", "success",
        ApprovalForm, _leads_on(Booking.approve), _approve, Scope.UNASSIGNED,
    ),
    Action(
        "record-payment", "Record desk payment", "Record the payment", "success",
        ActionForm, _awaits_money, _record_payment,
    ),
    Action(
        "record-outcome", "Record outcome", "Record the outcome", "success",
        OutcomeForm, _was_held, _record_outcome, Scope.OWN,
    ),
    Action(
        "refund-made", "Mark refund made", "The money was given back", "success",
        RefundMadeForm, _owes_money_by_hand, _refund_made,
    ),
    Action(
        "sponsor", "Sponsor", "A corporate pays", "primary",
        SponsorForm, _leads_on(Booking.approve, Booking.confirm), _sponsor,
    ),
    Action(
        "reschedule", "Reschedule", "Move the session", "primary",
        MoveForm, _has_slot, _reschedule, Scope.OWN,
    ),
    Action(
        "refund", "Refund", "Give money back", "primary",
        RefundForm, _has_money, _refund,
    ),
    Action(
        "reject", "Reject", "Reject and tell the visitor", "danger",
        RejectForm, _leads_on(Booking.reject), _reject, Scope.UNASSIGNED,
    ),
    Action(
        "cancel", "Cancel", "Cancel and tell the visitor", "danger",
        CancelForm, _leads_on(Booking.cancel), _cancel,
    ),
)  # fmt: skip
