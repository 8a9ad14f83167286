"""Every intent from every state: what happens, as a table in docs/intents.md that this test writes and checks.

`TEST_WRITE_DOCS=1` writes it; otherwise the test compares.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from backend.bookings import links
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import (
    alternatives,
    cancellation,
    follow_ups,
    front_desk,
    payments,
    refunds,
    rescheduling,
    timers,
    visitor,
)
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Alternative, Booking, LedgerEntry, Outcome, Purpose
from backend.bookings.notices import Notice
from backend.core.errors import Refused
from backend.outbox.models import Message
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentMethod
from backend.people.models import Corporate
from tests.support import scenarios, working_hours
from tests.support.factories import make_booking, make_payment, make_refund
from tests.support.server import ROOT

DOCUMENT = ROOT / "docs" / "intents.md"
HEAD = """# Every intent from every state

Written and checked by `tests/bookings/lifecycle/test_intents_table.py` against the real intents;
`TEST_WRITE_DOCS=1` renews it. An arrow is a transition (after `∅` of another booking, born by it), `noted` a ledger row
without one, `–` nothing at all (the intent came too late, twice, or for another state), and a word in code style the
refusal. Rules that depend on time, money or slots are in the tests of each intent.

"""
LEDGER = """
## What the ledger calls them

`backend/bookings/intents.py`, in life-cycle order, and which of the above wrote such a row.

| Row | Says | Written by |
|---|---|---|
"""


def payment_of(booking: Booking, now: datetime) -> Payment:
    """The booking's attempt; where there can be none, a row as an earlier attempt would have left."""
    found = Payment.objects.filter(booking=booking).first()
    return found or Payment.objects.create(
        booking=booking,
        reference=f"PAY-{booking.pk}",
        amount_paise=booking.amount_paise or 150_000,
        currency="INR",
        state="idle",
        started_at=now,
        closed_at=now,
    )


def cancelling_token(booking: Booking, now: datetime) -> str:
    """Only an active booking is mailed one."""
    uuid = uuid4()
    if booking.state in ACTIVE:
        links.issue(booking, Purpose.CANCEL, uuid, now=now)
    return links.token_of(uuid, Purpose.CANCEL)


def due(booking: Booking, now: datetime) -> datetime:
    return booking.due_at or now + timedelta(days=400)


def move(booking: Booking, now: datetime) -> object:
    return reschedule(booking.pk, Move(now + timedelta(days=9)), actor="staff:desk", now=now)


def approve(booking: Booking, now: datetime) -> object:
    approval = staff.Approval(scenarios.psychologist("Dr. New").pk, now + timedelta(days=9))
    return staff.approve(booking.pk, approval, actor="staff:desk", now=now)


def sponsor(booking: Booking, now: datetime) -> object:
    return front_desk.sponsor(booking.pk, Corporate.objects.create(name="Acme").pk, actor="staff:desk", now=now)


def report(booking: Booking, now: datetime, make: Callable[[Payment], object]) -> object:
    return payments.record_report(make(payment_of(booking, now)), actor="gateway:sandbox", now=now)  # type: ignore[arg-type]


def book_follow_up(booking: Booking, now: datetime) -> object:
    """What it makes is another booking: the table says whether it does."""
    series = follow_ups.Series((now + timedelta(days=9),), psychologist_id=scenarios.psychologist("Dr. New").pk)
    return follow_ups.book_series(booking.pk, series, actor="staff:desk", now=now)


def reject_with_times(booking: Booking, now: datetime) -> object:
    offers = [alternatives.OfferedSlot(scenarios.psychologist("Dr. New").pk, now + timedelta(days=9))]
    return staff.reject(booking.pk, note_to_visitor="", offers=offers, actor="staff:desk", now=now)


def take_alternative(booking: Booking, now: datetime) -> object:
    """Only a rejection offers some; elsewhere there is no such link."""
    token = "none"
    if booking.state == State.REJECTED:
        who = scenarios.psychologist("Dr. New")
        start = now + timedelta(days=1)
        row = {"psychologist": who, "slot_start": start, "slot_end": start + timedelta(hours=1), "amount_paise": 1}
        Alternative.objects.create(booking=booking, number=1, **row)
        message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
        links.issue(booking, Purpose.ALTERNATIVE, message.uuid, now=now)
        token = links.tokens_of(message.uuid)[links.alternative_token_name(1)]
    return alternatives.take_alternative(token, now=now)


def move_by_visitor(booking: Booking, now: datetime) -> object:
    """By a link as every approval mails one, also where the booking closed since."""
    who = booking.psychologist or scenarios.psychologist("Dr. New")
    working_hours.weekly(who, "10:00 18:00")
    uuid = uuid4()
    links.issue(booking, Purpose.RESCHEDULE, uuid, now=now)
    choice = rescheduling.SlotChoice(who.pk, now + timedelta(days=9))
    return rescheduling.reschedule_by_visitor(links.token_of(uuid, Purpose.RESCHEDULE), choice, now=now)


def verify_one_of_two(booking: Booking, now: datetime) -> object:
    """Beside another draft of the same person."""
    if booking.state == State.DRAFT:
        make_booking(State.DRAFT, now=now, client=booking.client)
    return visitor.verify_email(scenarios.token_of(booking), now=now)


def request_again(booking: Booking, now: datetime) -> object:
    """By a link as the apology mails one, which only a cancelled request gets."""
    uuid = uuid4()
    if booking.state == State.CANCELLED:
        links.issue(booking, Purpose.AGAIN, uuid, now=now)
    return visitor.request_again(links.token_of(uuid, Purpose.AGAIN), now=now)


def lapse_cancellation(booking: Booking, now: datetime) -> object:
    Booking.objects.filter(pk=booking.pk).update(cancellation_requested_at=now)
    return cancellation.lapse_cancellation(booking.pk, now=now + timedelta(hours=1))


def end_refund(booking: Booking, now: datetime, state: RefundOrderState) -> object:
    """Of money that came at any time and is on its way back."""
    refund = make_refund(payment_of(booking, now), now=now, amount_paise=1)
    report = RefundReport(refund.reference, "rfnd_1", state, refund.amount_paise)
    return refunds.record_refund(refund.pk, report, now=now)


def hand_out_refund(booking: Booking, now: datetime) -> object:
    paid = make_payment(booking, now=now, method=PaymentMethod.DESK)
    return refunds.record_refund_made(make_refund(paid, now=now).pk, actor="staff:desk", now=now)


INTENTS: dict[str, Callable[[Booking, datetime], object]] = {
    "submit_draft": lambda b, now: visitor.submit_draft(scenarios.draft_of(now=now, city="Nashik"), now=now),
    "create_by_staff": lambda b, now: front_desk.create_by_staff(
        scenarios.draft_of(now=now), actor="staff:desk", now=now
    ),
    "verify_email": lambda b, now: visitor.verify_email(scenarios.token_of(b), now=now),
    "verify_email, of two drafts": verify_one_of_two,
    "approve": approve,
    "reject": lambda b, now: staff.reject(b.pk, note_to_visitor="", actor="staff:desk", now=now),
    "reject, with other times": reject_with_times,
    "take_alternative": take_alternative,
    "request_again": request_again,
    "start_payment": lambda b, now: payments.start_payment(b.acknowledgement_id, now=now),
    "record_report, captured": lambda b, now: report(b, now, scenarios.captured),
    "record_report, declined": lambda b, now: report(b, now, scenarios.declined),
    "end_idle_attempt, due": lambda b, now: payments.end_idle_attempt(payment_of(b, now).pk, now=due(b, now)),
    "record_desk_payment": lambda b, now: front_desk.record_desk_payment(b.pk, actor="staff:desk", now=now),
    "sponsor": sponsor,
    "reschedule": move,
    "reschedule_by_visitor": move_by_visitor,
    "book_follow_up": book_follow_up,
    "request_cancellation": lambda b, now: cancellation.request_cancellation(b.acknowledgement_id, now=now),
    "confirm_cancellation": lambda b, now: cancellation.confirm_cancellation(cancelling_token(b, now), now=now),
    "lapse_cancellation, due": lapse_cancellation,
    "cancel_by_staff": scenarios.call_off,
    "grant_refund": lambda b, now: refunds.grant_refund(b.pk, None, actor="staff:desk", now=now),
    "record_refund, made": lambda b, now: end_refund(b, now, RefundOrderState.DONE),
    "record_refund, refused": lambda b, now: end_refund(b, now, RefundOrderState.REFUSED),
    "record_refund_made": hand_out_refund,
    "record_outcome": lambda b, now: front_desk.record_outcome(
        b.pk, Outcome.ATTENDED, actor="staff:desk", now=b.slot_start or now
    ),
    "extend_deadline": lambda b, now: front_desk.extend_deadline(
        b.pk, State(b.state), timedelta(hours=1), actor="staff:desk", now=now
    ),
    "lapse_draft, due": lambda b, now: timers.lapse_draft(b.pk, now=due(b, now)),
    "close_unanswered, due": lambda b, now: timers.close_unanswered(b.pk, now=due(b, now)),
    "time_out_approval, due": lambda b, now: timers.time_out_approval(b.pk, now=due(b, now)),
    "complete_session, due": lambda b, now: timers.complete_session(b.pk, now=due(b, now)),
}


def outcomes(state: State, now: datetime, writers: dict[str, set[str]]) -> list[str]:
    """What each intent does from this state, none seeing what another did; `writers` learns by which rows."""
    with transaction.atomic():
        booking = scenarios.IN_STATE[state](now=now)
        found = [outcome_of(intent, booking, now, writers) for intent in INTENTS]
        transaction.set_rollback(True)
    return found


def outcome_of(intent: str, made: Booking, now: datetime, writers: dict[str, set[str]]) -> str:
    """What it does to this booking, then undone."""
    with transaction.atomic():
        booking = scenarios.again(made)
        state = booking.state
        last = LedgerEntry.objects.latest("pk").pk
        rows, bookings = LedgerEntry.objects.filter(booking=booking).count(), Booking.objects.count()
        try:
            INTENTS[intent](booking, now)
        except Refused as refused:
            outcome = f"`{refused.code}`"
        else:
            after = scenarios.again(booking)
            noted = LedgerEntry.objects.filter(booking=booking).count() > rows
            made_another = Booking.objects.count() > bookings
            another = Booking.objects.latest("pk").state
            stays = f"∅ → {another}" if made_another else "noted" if noted else "–"
            outcome = f"→ {after.state}" if after.state != state else stays
            for row in LedgerEntry.objects.filter(pk__gt=last).exclude(actor="test"):  # a factory's
                writers[row.intent].add(intent)
        transaction.set_rollback(True)
    return outcome


@pytest.mark.django_db
def test_every_intent_from_every_state_does_what_the_table_says(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    lines = ["| Intent | " + " | ".join(State) + " |", "|---" * (len(State) + 1) + "|"]
    writers: dict[str, set[str]] = {row.value: set() for row in Intent}  # a word that is no member is a KeyError
    columns = [outcomes(state, now, writers) for state in State]
    lines += [f"| {intent} | " + " | ".join(cells) + " |" for intent, *cells in zip(INTENTS, *columns, strict=True)]
    assert [row for row, by in writers.items() if not by] == [Intent.SEED_LARGE]  # which is no intent's
    lines.append(LEDGER.rstrip())
    for row in Intent:
        by = dict.fromkeys(name.partition(",")[0] for name in INTENTS if name in writers[row])
        lines.append(f"| `{row}` | {row.label} | {', '.join(by) or '–'} |")
    table = HEAD + "\n".join(lines) + "\n"
    if os.environ.get("TEST_WRITE_DOCS"):
        DOCUMENT.write_text(table)
    assert DOCUMENT.read_text() == table
