"""Every action of staff as a case: the booking that it begins with, what is typed, and the ledger's word for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from backend.bookings.lifecycle import cancellation, desk_money, refunds
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action
from backend.desk.booking.actions.table import ACTIONS
from backend.payments.models import Refund
from backend.people.models import Corporate, Psychologist
from tests.support import scenarios
from tests.support.admin_site import form_of, session_form

BY_NAME = {action.name: action for action in ACTIONS}


@dataclass(frozen=True)
class Case:
    """An action, the booking it begins with, what is typed, and the ledger's word for what was done."""

    name: str
    begin: Callable[[datetime], Booking]
    typed: Callable[[Booking], dict[str, str]]
    intent: str
    at: timedelta = timedelta(0)  # when staff act, after `now`

    @property
    def action(self) -> Action[Any]:
        return BY_NAME[self.name]


def nothing(booking: Booking) -> dict[str, str]:
    return form_of(booking)


def a_note(booking: Booking) -> dict[str, str]:
    return form_of(booking, note_to_visitor="Sorry.\r\nWe are full.")


def called_off(booking: Booking) -> dict[str, str]:
    return {**a_note(booking), "called_off_by": "practice"}


def somebody(booking: Booking) -> dict[str, str]:
    return session_form(booking, Psychologist.objects.first() or scenarios.psychologist())


def acme(booking: Booking) -> dict[str, str]:
    return form_of(booking, corporate=str(Corporate.objects.get_or_create(name="Acme")[0].pk))


def a_refund(booking: Booking) -> dict[str, str]:
    return form_of(booking, refund=str(Refund.objects.get().pk))


def a_request(now: datetime) -> Booking:
    return scenarios.pending(now=now)


def approved(now: datetime) -> Booking:
    return scenarios.approved(now=now)


def paying(now: datetime) -> Booking:
    return scenarios.paying(now=now)[0]


def paid(now: datetime) -> Booking:
    return scenarios.confirmed(now=now)


def paid_at_the_desk(now: datetime) -> Booking:
    return desk_money.record_desk_payment(scenarios.approved(now=now).pk, actor="staff:desk", now=now)


def owed_at_the_desk(now: datetime) -> Booking:
    booking = paid_at_the_desk(now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    return booking


def just_cancelled(now: datetime) -> Booking:
    booking = scenarios.confirmed(now=now)
    return cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=cancellation.RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=now,
        is_undoable=True,
    )


CASES = [
    Case("undo", just_cancelled, nothing, "undo_decision"),
    Case("approve", a_request, somebody, "approve"),
    Case("reject", a_request, a_note, "reject"),
    Case("cancel", a_request, called_off, "cancel"),
    Case("cancel", paying, called_off, "cancel"),
    Case("cancel", paid, lambda booking: {**called_off(booking), "refund": "full"}, "cancel"),
    Case("cancel", paid_at_the_desk, lambda booking: {**called_off(booking), "refund": "full"}, "cancel"),
    Case("reschedule", approved, somebody, "reschedule"),
    Case("reschedule", paid, somebody, "reschedule"),
    Case("offer-choice", paid, nothing, "offer_choice"),
    Case("record-payment", approved, nothing, "record_desk_payment"),
    Case("record-payment", paying, nothing, "record_desk_payment"),
    Case("void-payment", paid_at_the_desk, lambda booking: form_of(booking, why="not_received"), "void_desk_payment"),
    Case("sponsor", a_request, acme, "sponsor"),
    Case("sponsor", approved, acme, "sponsor"),
    Case("refund", paid, nothing, "grant_refund"),
    Case("refund", paid_at_the_desk, lambda booking: form_of(booking, amount="500"), "grant_refund"),
    Case("refund-made", owed_at_the_desk, a_refund, "refund_made"),
    Case(
        "record-outcome", paid, lambda booking: form_of(booking, outcome="attended"), "record_outcome", timedelta(1.5)
    ),
]
