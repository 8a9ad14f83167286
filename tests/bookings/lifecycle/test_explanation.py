"""A status explains itself and cannot lie: what it allows its intent accepts, and what it does not name is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from backend.api.explained import DOORS
from backend.bookings import links, policy, story
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import attempts, cancellation, rescheduling, visitor
from backend.bookings.lifecycle.explanation import BY_ID, CALLED_OFF, Explanation, VisitorAction, explain
from backend.bookings.lifecycle.preview import preview_transaction
from backend.bookings.lifecycle.rescheduling import SlotChoice
from backend.bookings.machine import HOLDS_SLOT, Reason, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.next_steps import NextStep
from backend.bookings.notices import Notice, links_carried
from backend.core.errors import hindrance
from backend.payments.models import PaymentState
from tests.support import factories, scenarios, working_hours

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

LATER = [state for state in State if state != State.DRAFT]
PAY, CANCEL, CANCEL_BY_MAIL, MOVE, SEND_LINK = VisitorAction
# what a row changes of the booking as `factories` makes it, its session tomorrow at 12:00 UTC
CIRCUMSTANCES: dict[str, Callable[[datetime], dict[str, Any]]] = {
    "plain": lambda _now: {},
    "no address": lambda _now: {"email": ""},
    "far ahead": lambda now: _session(now + timedelta(days=5)),
    "far ahead, moves used up": lambda now: {
        **_session(now + timedelta(days=5)), "moves_by_visitor": policy.MOVES_BY_VISITOR
    },
    "near": lambda now: _session(now + timedelta(hours=3)),
    "near, moved by staff": lambda now: {**_session(now + timedelta(hours=3)), "moved_by_staff_at": now},
    "near, to be chosen anew": lambda now: {
        **_session(now + timedelta(hours=7)), "moved_by_staff_at": now, "choose_by": now + timedelta(hours=5)
    },
    "begun": lambda now: _session(now - timedelta(minutes=1)),
    "time to pay over": lambda now: {"pay_by": now - timedelta(hours=1), "due_at": now},
}  # fmt: skip


def _session(start: datetime) -> dict[str, Any]:
    return {"slot_start": start, "slot_end": start + timedelta(hours=1)}


TABLE = [
    *((state, name) for state in HOLDS_SLOT for name in CIRCUMSTANCES),
    *((state, name) for state in LATER if state not in HOLDS_SLOT for name in ("plain", "no address")),
]


def made(state: State, circumstance: str, now: datetime) -> Booking:
    """With the attempt that its state speaks of, and somebody who has other times."""
    booking = factories.make_booking(state, now=now, **CIRCUMSTANCES[circumstance](now))
    if state == State.PAYMENT_PENDING:
        money = {"captured_paise": 0, "captured_at": None, "closed_at": None, "state": PaymentState.OPEN}
        factories.make_payment(booking, now=now, **money)
    if booking.psychologist is not None:
        working_hours.weekly(booking.psychologist, "10:00 18:00")
    return booking


def mailed(booking: Booking, purpose: Purpose, now: datetime) -> str:
    """The token as the newest mail brought it; "" where no mail carries one."""
    uuid, mailed_at = uuid4(), now - timedelta(hours=1)
    if booking.email and purpose in links_carried(Notice.LINK_REQUESTED, booking.state):
        links.issue(booking, purpose, message_uuid=uuid, now=mailed_at)
    return links.token_of(uuid, purpose)


def move(booking: Booking, now: datetime) -> object:
    choice = SlotChoice(booking.psychologist_id or 0, now + timedelta(days=9))
    return rescheduling.reschedule_by_visitor(mailed(booking, Purpose.RESCHEDULE, now), choice, now=now)


def send_link(booking: Booking, now: datetime) -> object:
    return visitor.request_link(booking.email, now=now) if booking.email else attempts.require_address(booking)


ACTS: dict[VisitorAction, Callable[[Booking, datetime], object]] = {
    PAY: lambda one, now: attempts.start_payment(one.acknowledgement_id, now=now),
    CANCEL: lambda one, now: cancellation.request_cancellation(one.acknowledgement_id, now=now),
    CANCEL_BY_MAIL: lambda one, now: cancellation.confirm_cancellation(mailed(one, Purpose.CANCEL_LATE, now), now=now),
    MOVE: move,
    SEND_LINK: send_link,
}


def named(explanation: Explanation) -> set[VisitorAction]:
    return {one.action for one in explanation.actions}


@pytest.mark.parametrize(("state", "circumstance"), TABLE)
def test_what_is_allowed_is_accepted_and_everything_else_refused(
    state: State, circumstance: str, now: datetime
) -> None:
    booking = made(state, circumstance, now)
    accepted = set()
    for action, act in ACTS.items():
        with preview_transaction(booking.pk):
            if hindrance(act, scenarios.again(booking), now) is None:
                accepted.add(action)
    assert named(explain(booking, now=now, by_token=True)) == accepted
    assert named(explain(booking, now=now, by_token=False)) == accepted & set(BY_ID)


def test_without_a_gateway_nobody_is_told_to_pay_online(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = made(State.APPROVED, "plain", now)
    monkeypatch.setattr(settings, "PAYMENT_GATEWAY", "")
    assert PAY not in named(explain(booking, now=now, by_token=True))


@pytest.mark.parametrize("action", VisitorAction)
def test_what_is_allowed_until_an_instant_is_refused_after_it_at_the_latest_with_the_grace(
    action: VisitorAction, now: datetime
) -> None:
    state = State.APPROVED if action is PAY else State.CONFIRMED
    booking = made(state, "far ahead", now)
    [until] = [one.until for one in explain(booking, now=now, by_token=True).actions if one.action is action]
    if action is SEND_LINK:
        assert until is None
        return
    assert until is not None
    before, after = until - timedelta(seconds=1), until + (policy.PAY_GRACE if action is PAY else timedelta(seconds=1))
    assert explain(booking, now=before, by_token=True).allows(action)
    assert not explain(booking, now=after, by_token=True).allows(action)


STEPS = {
    State.PENDING: (NextStep.WAIT_FOR_ANSWER, "due_at"),
    State.APPROVED: (NextStep.PAY, "pay_by"),
    State.PAYMENT_PENDING: (NextStep.FINISH_PAYMENT, "pay_by"),
    State.CONFIRMED: (NextStep.COME, "slot_start"),
    State.COMPLETED: (NextStep.NOTHING, None),
    State.REJECTED: (NextStep.BOOK_AGAIN, None),
    State.CANCELLED: (NextStep.BOOK_AGAIN, None),
    State.PAYMENT_FAILED: (NextStep.BOOK_AGAIN, None),
}


@pytest.mark.parametrize("state", LATER)
def test_each_state_says_whose_turn_it_is_and_until_when(state: State, now: datetime) -> None:
    booking = made(state, "plain", now)
    if state == State.CONFIRMED:
        factories.make_payment(booking, now=now)
    found = explain(booking, now=now, by_token=True)
    step, column = STEPS[state]
    assert (found.next_step, found.deadline) == (step, getattr(booking, column) if column else None)
    assert "{" not in found.sentence
    assert found.sentence.endswith(".")


def test_an_open_choice_comes_before_everything_else(now: datetime) -> None:
    booking = made(State.APPROVED, "near, to be chosen anew", now)
    found = explain(booking, now=now, by_token=True)
    assert (found.next_step, found.deadline) == (NextStep.CHOOSE_ANOTHER_TIME, booking.choose_by)


@pytest.mark.parametrize(
    ("reason", "by_id"),
    [
        (Reason.BY_VISITOR, CALLED_OFF),
        (Reason.CANCELLED_LATE, CALLED_OFF),
        (Reason.BY_STAFF, CALLED_OFF),
        (Reason.UNANSWERED, Reason.UNANSWERED),
        (Reason.PAYMENT_TIMED_OUT, Reason.PAYMENT_TIMED_OUT),
    ],
)
def test_whose_wish_a_cancellation_was_is_told_by_token_alone(reason: Reason, by_id: str, now: datetime) -> None:
    booking = factories.make_booking(State.CANCELLED, now=now, reason=reason)
    assert explain(booking, now=now, by_token=True).reason == reason
    assert explain(booking, now=now, by_token=False).reason == by_id


def test_every_intent_has_words_for_its_visitor_or_stays_untold() -> None:
    assert set(story.TOLD) | set(story.UNTOLD) == set(Intent)
    assert not set(story.TOLD) & set(story.UNTOLD)


def test_every_action_has_its_door() -> None:
    assert set(DOORS) == set(VisitorAction)
