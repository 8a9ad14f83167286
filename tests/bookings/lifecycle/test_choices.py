"""A session that cannot be held: its visitor chooses another time, or has all money back when that time is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import attempts, cancellation, choices, desk_money, payments, rescheduling, timers, undo
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, SlotChoice, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment, Refund
from backend.people.models import Psychologist, TimeOff
from tests.support import scenarios, working_hours
from tests.support.database_rows import everything
from tests.support.sponsors import acme, sponsored

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
STAFF = {"actor": "staff:desk"}


@pytest.fixture
def who() -> Psychologist:
    """From 10:00 in Kolkata, which `now` is, every day."""
    return working_hours.psychologist()


def offered(booking: Booking, *, now: datetime) -> Booking:
    choices.offer_choice(booking.pk, **STAFF, now=now)
    return scenarios.again(booking)


def choose(booking: Booking, start: datetime, *, now: datetime) -> Booking:
    token = scenarios.token_of(booking, Notice.CHOICE_OFFERED, Purpose.RESCHEDULE)
    choice = SlotChoice(booking.psychologist_id or 0, start)
    return rescheduling.reschedule_by_visitor(token, choice, now=now)


def call_off(booking: Booking, *, now: datetime, is_undoable: bool = False) -> Booking:
    given = {"note_to_visitor": "", "refund": RefundChoice.FULL, "refund_reason": ""}
    return cancellation.cancel_by_staff(booking.pk, **given, **STAFF, now=now, is_undoable=is_undoable)


def code_of(call: Callable[[], object]) -> Code:
    before = everything()
    with pytest.raises(Refused) as refused:
        call()
    assert everything() == before
    return refused.value.code


# -- what is offered ---------------------------------------------------------------------------------------------------


def test_the_booking_stays_with_its_slot_and_waits(who: Psychologist, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, who=who, at=now + 3 * DAY)
    asked = offered(booking, now=now)
    assert (asked.state, asked.slot_start, asked.due_at) == (State.CONFIRMED, booking.slot_start, booking.due_at)
    assert (asked.choose_by, asked.moved_by_staff_at) == (now + policy.CHOOSE_WITHIN, now)
    assert SlotClaim.objects.get(booking=booking).blocked_from == booking.slot_start
    told = [Notice.CHOICE_OFFERED, Notice.CHOICE_STILL_OPEN, Notice.PSYCHOLOGIST_CHOICE_OFFERED]
    assert scenarios.notices_about(asked)[-3:] == told
    reminder = Message.objects.get(kind=Notice.CHOICE_STILL_OPEN)
    assert reminder.not_before == now + DAY
    assert LedgerEntry.objects.latest("pk").details == {"choose_by": (now + policy.CHOOSE_WITHIN).isoformat()}


@pytest.mark.parametrize(
    ("ahead", "ends_in"), [(3 * DAY, 2 * DAY), (30 * HOUR, 28 * HOUR), (6 * HOUR, 4 * HOUR), (6 * HOUR - SECOND, None)]
)
def test_the_choice_ends_before_the_session(ahead: timedelta, ends_in: timedelta | None, now: datetime) -> None:
    assert policy.choose_by(now, now + ahead) == (None if ends_in is None else now + ends_in)


def test_who_cannot_be_asked_is_not(who: Psychologist, now: datetime) -> None:
    ask = lambda booking: lambda: choices.offer_choice(booking.pk, **STAFF, now=now)  # noqa: E731
    near = scenarios.confirmed("near@example.org", now=now, who=who, at=now + 5 * HOUR)
    assert code_of(ask(near)) is Code.CHOICE_TOO_NEAR
    assert code_of(ask(scenarios.pending("p@example.org", now=now))) is Code.STATE_REFUSES
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    assert code_of(ask(asked)) is Code.CHOICE_OPEN  # away twice: one mail
    Booking.objects.filter(pk=near.pk).update(email="", slot_start=now + 9 * DAY, slot_end=now + 9 * DAY + HOUR)
    assert code_of(ask(near)) is Code.NO_ADDRESS


# -- the choice --------------------------------------------------------------------------------------------------------


def test_the_move_is_free_inside_the_last_day_and_after_all_others(who: Psychologist, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, who=who, at=now + DAY)
    Booking.objects.filter(pk=booking.pk).update(moves_by_visitor=policy.MOVES_BY_VISITOR)
    asked = offered(booking, now=now + HOUR)
    TimeOff.objects.create(psychologist=who, starts_at=now + DAY, ends_at=now + 2 * DAY)
    moved = scenarios.again(choose(asked, now + 3 * DAY, now=now + 2 * HOUR))
    assert (moved.slot_start, moved.choose_by, moved.moves_by_visitor) == (now + 3 * DAY, None, policy.MOVES_BY_VISITOR)
    assert moved.moved_by_staff_at == now + HOUR  # so the right to cancel stays
    assert Notice.PSYCHOLOGIST_SESSION_MOVED in scenarios.notices_about(moved)
    choices.lapse_choice(booking.pk, now=now + 9 * DAY)
    assert scenarios.again(booking) == moved


def test_what_is_closed_meanwhile_cannot_be_chosen(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    TimeOff.objects.create(psychologist=who, starts_at=now + 3 * DAY, ends_at=now + 5 * DAY)
    assert code_of(lambda: choose(asked, now + 4 * DAY, now=now)) is Code.SLOT_TAKEN


def test_who_leaves_altogether_leaves_colleagues_to_choose(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist("Dr. Other", email="other@example.org")
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    Psychologist.objects.filter(pk=who.pk).update(is_active=False)
    assert code_of(lambda: choose(asked, now + 4 * DAY, now=now)) is Code.SLOT_TAKEN
    asked.psychologist_id = other.pk
    assert choose(asked, now + 3 * DAY, now=now).psychologist == other


def test_a_sponsored_session_moves_with_its_month_and_gives_it_back(now: datetime) -> None:
    acme()
    asked = offered(sponsored(now=now, at=now + 3 * DAY), now=now)
    working_hours.weekly(asked.psychologist, "10:00 18:00")
    moved = scenarios.again(choose(asked, now + 9 * DAY, now=now))
    assert (asked.sponsored_month, moved.sponsored_month) == (date(2026, 11, 1), date(2026, 12, 1))
    choices.offer_choice(moved.pk, **STAFF, now=now)
    choices.lapse_choice(moved.pk, now=now + policy.CHOOSE_WITHIN)
    assert scenarios.again(moved).sponsorship_returned_at == now + policy.CHOOSE_WITHIN


@pytest.mark.parametrize("by", ["staff", "visitor"])
def test_staff_and_visitor_may_end_the_wait_by_calling_off(by: str, who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + DAY), now=now + HOUR)
    if by == "staff":
        call_off(asked, now=now + 2 * HOUR)
    else:
        token = scenarios.token_of(asked, Notice.CHOICE_OFFERED, Purpose.CANCEL_LATE)
        cancellation.confirm_cancellation(token, now=now + 2 * HOUR)
    assert (scenarios.again(asked).state, scenarios.again(asked).choose_by) == (State.CANCELLED, None)
    assert Refund.objects.get().amount_paise == 150_000


def test_a_move_by_staff_ends_the_wait_also_to_the_same_time(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    kept = reschedule(asked.pk, Move(asked.slot_start), **STAFF, now=now + HOUR)
    assert (kept.slot_start, scenarios.again(asked).choose_by) == (asked.slot_start, None)
    token = scenarios.token_of(asked, Notice.CHOICE_OFFERED, Purpose.RESCHEDULE)
    choice = SlotChoice(who.pk, now + 4 * DAY)
    refused = code_of(lambda: rescheduling.reschedule_by_visitor(token, choice, now=now + 2 * HOUR))
    assert refused is Code.LINK_EXPIRED


def test_undoing_that_it_was_called_off_lets_the_visitor_choose_again(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    call_off(asked, now=now + HOUR, is_undoable=True)
    undo.undo_decision(asked.pk, **STAFF, now=now + HOUR + SECOND)
    assert scenarios.again(asked).choose_by == asked.choose_by
    assert choose(asked, now + 4 * DAY, now=now + 2 * HOUR).slot_start == now + 4 * DAY


# -- the end -----------------------------------------------------------------------------------------------------------


def test_no_choice_in_time_gives_all_money_back(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    ends_at = now + policy.CHOOSE_WITHIN
    choices.lapse_choice(asked.pk, now=ends_at - SECOND)
    assert scenarios.again(asked) == asked
    for _ in range(2):
        choices.lapse_choice(asked.pk, now=ends_at)
    closed = scenarios.again(asked)
    assert (closed.state, closed.reason, closed.choose_by) == (State.CANCELLED, "by_staff", None)
    assert not SlotClaim.objects.exists()
    assert Refund.objects.get().amount_paise == 150_000
    entry = LedgerEntry.objects.latest("pk")
    assert (entry.intent, entry.actor, entry.details) == ("lapse_choice", "timer", {"refund": Refund.objects.get().pk})
    told = [Notice.BOOKING_CANCELLED, Notice.PSYCHOLOGIST_SESSION_CANCELLED, Notice.REFUND_QUEUED]
    assert scenarios.notices_about(closed)[-3:] == told
    assert code_of(lambda: choose(asked, now + 5 * DAY, now=ends_at)) is Code.STATE_REFUSES


def test_a_choice_that_the_timer_has_not_ended_yet_is_taken(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    late = now + policy.CHOOSE_WITHIN + SECOND
    assert choose(asked, now + 5 * DAY, now=late).slot_start == now + 5 * DAY
    choices.lapse_choice(asked.pk, now=late)
    assert scenarios.again(asked).state == State.CONFIRMED


def test_no_other_timer_ends_what_waits_for_a_choice(who: Psychologist, now: datetime) -> None:
    paid = offered(scenarios.confirmed(now=now, who=who, at=now + 3 * DAY), now=now)
    due = offered(scenarios.approved("due@example.org", now=now, who=who, at=now + 5 * DAY), now=now)
    much_later = now + 9 * DAY  # after an outage
    timers.complete_session(paid.pk, now=much_later)
    timers.time_out_approval(due.pk, now=much_later)
    assert (scenarios.again(paid), scenarios.again(due)) == (paid, due)
    for booking in (paid, due):
        choices.lapse_choice(booking.pk, now=much_later)
        assert scenarios.again(booking).reason == "by_staff"


# -- what is still to be paid ------------------------------------------------------------------------------------------


def test_nobody_pays_before_the_choice_and_the_time_to_pay_begins_with_it(who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=now + 5 * DAY)
    asked = offered(booking, now=now)
    assert (booking.pay_by, asked.pay_by) == (now + policy.PAY_WITHIN, now + policy.CHOOSE_WITHIN)
    assert asked.due_at == asked.pay_by + policy.PAY_GRACE
    assert code_of(lambda: attempts.start_payment(asked.acknowledgement_id, now=now)) is Code.CHOICE_OPEN
    assert Notice.PSYCHOLOGIST_CHOICE_OFFERED not in scenarios.notices_about(asked)
    later = now + 47 * HOUR
    moved = scenarios.again(choose(asked, now + 6 * DAY, now=later))
    assert (moved.pay_by, moved.due_at) == (later + policy.PAY_WITHIN, later + policy.PAY_WITHIN + policy.PAY_GRACE)
    reminder = Message.objects.filter(kind=Notice.PAYMENT_STILL_DUE).latest("pk")
    assert (reminder.ledger_sequence, later < reminder.not_before < moved.pay_by) == (moved.ledger_sequence, True)
    assert attempts.start_payment(moved.acknowledgement_id, now=later).booking == moved


def test_a_reminder_of_the_time_to_pay_before_the_choice_is_not_sent_beside_the_new_one(
    who: Psychologist, now: datetime
) -> None:
    booking = scenarios.approved(now=now, who=who, at=now + 5 * DAY)
    choose(offered(booking, now=now), now + 6 * DAY, now=now + HOUR)
    reminders = Message.objects.filter(kind=Notice.PAYMENT_STILL_DUE).order_by("pk")
    assert [row.state for row in reminders] == [MessageState.OBSOLETE, MessageState.WAITING]


def test_money_that_comes_meanwhile_is_taken_and_the_visitor_reads_what_is_so(who: Psychologist, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now, who=who, at=now + 5 * DAY)
    offered(booking, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    paid = scenarios.again(booking)
    assert (paid.state, paid.choose_by) == (State.CONFIRMED, now + policy.CHOOSE_WITHIN)
    notices = scenarios.notices_about(paid)
    assert not {Notice.BOOKING_CONFIRMED, Notice.SESSION_APPROACHING} & set(notices)
    assert Message.objects.filter(kind=Notice.CHOICE_OFFERED).latest("pk").ledger_sequence == paid.ledger_sequence
    choices.lapse_choice(paid.pk, now=now + policy.CHOOSE_WITHIN)
    assert Refund.objects.get().payment == payment


def test_an_attempt_that_ends_meanwhile_ends_no_booking(who: Psychologist, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now, who=who, at=now + 5 * DAY)
    asked = offered(booking, now=now)
    much_later = now + 4 * DAY  # after an outage
    attempts.end_idle_attempt(payment.pk, now=much_later)
    assert scenarios.again(asked).state == State.APPROVED
    choices.lapse_choice(asked.pk, now=much_later)
    assert scenarios.again(asked).reason == "by_staff"


def test_money_at_the_desk_can_be_taken_meanwhile(who: Psychologist, now: datetime) -> None:
    asked = offered(scenarios.approved(now=now, who=who, at=now + 5 * DAY), now=now)
    desk_money.record_desk_payment(asked.pk, **STAFF, now=now)
    choices.lapse_choice(asked.pk, now=now + policy.CHOOSE_WITHIN)
    assert Refund.objects.get().payment == Payment.objects.get()
    assert Notice.STAFF_REFUND_DUE in scenarios.notices_about(asked)
