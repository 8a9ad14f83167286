"""A visitor moves their session: by the mailed link, a day ahead, twice at most, to what is offered, and in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import cancellation, rescheduling
from backend.bookings.lifecycle import payments as money
from backend.bookings.lifecycle.rescheduling import Move, SlotChoice, reschedule
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, LedgerEntry, Link, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.payments.models import Payment
from backend.people.models import Location, Psychologist
from tests.support import mails, scenarios, working_hours
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI
from tests.support.sponsors import acme, approve, with_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
STAFF = {"actor": "staff:desk"}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SLOT = timedelta(minutes=75)  # a session and its pause


@pytest.fixture
def who() -> Psychologist:
    """10:00, 11:15, 12:30, 13:45, 15:00 and 16:15 in Kolkata, every day."""
    return working_hours.psychologist()


def slot(now: datetime, days: int, number: int = 0) -> datetime:
    """`now` is 10:00 in Kolkata, when the hours begin."""
    return now + days * DAY + number * SLOT


def confirmed(who: Psychologist, now: datetime, email: str = scenarios.ASHA, days: int = 3) -> Booking:
    return scenarios.confirmed(email, now=now, who=who, at=slot(now, days))


def token(booking: Booking, notice: Notice = Notice.BOOKING_CONFIRMED) -> str:
    return scenarios.token_of(booking, notice, Purpose.RESCHEDULE)


def move(booking: Booking, to: datetime, *, now: datetime, who: Psychologist | None = None, by: str = "") -> Booking:
    choice = SlotChoice((who or booking.psychologist).pk, to)
    return rescheduling.reschedule_by_visitor(by or token(booking), choice, now=now)


def code_of(call: Callable[[], object]) -> Code:
    before = everything()
    with pytest.raises(Refused) as refused:
        call()
    assert everything() == before
    return refused.value.code


# -- what it does -----------------------------------------------------------------------------------------------------


def test_a_move_is_in_place_and_told_to_both_sides(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    claim, payments = SlotClaim.objects.get(), list(Payment.objects.values())
    moved = scenarios.again(move(booking, slot(now, 4, 2), now=now))
    assert (moved.pk, moved.state, moved.slot_start) == (booking.pk, State.CONFIRMED, slot(now, 4, 2))
    assert (moved.slot_end - moved.slot_start, moved.amount_paise) == (HOUR, booking.amount_paise)
    assert (moved.moves_by_visitor, moved.moved_by_staff_at) == (1, None)
    assert moved.due_at == moved.slot_end + policy.COMPLETE_AFTER
    held = SlotClaim.objects.get()
    assert (held.pk, held.blocked_from, held.blocked_until) == (claim.pk, moved.slot_start, moved.slot_start + SLOT)
    assert list(Payment.objects.values()) == payments
    told = [Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT]
    assert scenarios.notices_about(moved)[-4:] == [*told, Notice.PSYCHOLOGIST_SESSION_MOVED]


def test_the_ledger_has_from_and_to(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    moved = move(booking, slot(now, 4), now=now)
    entry = LedgerEntry.objects.filter(booking=moved).latest("sequence")
    assert (entry.intent, entry.actor, entry.source, entry.target) == (
        "reschedule",
        "visitor",
        "CONFIRMED",
        "CONFIRMED",
    )
    assert entry.details == {
        "from": slot(now, 3).isoformat(),
        "to": slot(now, 4).isoformat(),
        "from_psychologist": who.pk,
        "to_psychologist": who.pk,
    }


def test_another_psychologist_of_the_same_mode_can_be_chosen(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist(
        "Dr. Other", meeting_link="https://meet.example.org/other", fee_paise=1, email="o@x.in"
    )
    booking = confirmed(who, now)
    moved = scenarios.again(move(booking, slot(now, 3), now=now, who=other))
    assert (moved.psychologist, moved.meeting_link) == (other, "https://meet.example.org/other")
    assert (moved.slot_start, moved.amount_paise) == (booking.slot_start, booking.amount_paise)
    owed = Message.objects.filter(booking_id=booking.pk, kind__startswith="psychologist_").order_by("pk")
    cancelled, confirmed_ = (
        (Notice.PSYCHOLOGIST_SESSION_CANCELLED, who.email),
        (
            Notice.PSYCHOLOGIST_SESSION_CONFIRMED,
            other.email,
        ),
    )
    assert list(owed.values_list("kind", "recipient"))[1:] == [cancelled, confirmed_]


def test_a_move_by_half_an_hour_over_its_own_old_time_works(who: Psychologist, now: datetime) -> None:
    working_hours.extra(who, (now + 3 * DAY).date(), "18:30 22:00")
    booking = scenarios.confirmed(now=now, who=who, at=slot(now, 3) + 9 * HOUR)  # 19:00, off the grid of that evening
    moved = move(booking, booking.slot_start - HOUR / 2, now=now)
    assert SlotClaim.objects.get().blocked_from == moved.slot_start == booking.slot_start - HOUR / 2


def test_the_old_links_die_and_the_new_mail_carries_fresh_ones(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    older = token(booking, Notice.BOOKING_APPROVED)
    late = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)
    move(booking, slot(now, 4), now=now)
    assert code_of(lambda: move(booking, slot(now, 5), now=now, by=older)) is Code.LINK_EXPIRED
    assert code_of(lambda: cancellation.confirm_cancellation(late, now=now)) is Code.LINK_EXPIRED
    assert move(booking, slot(now, 5), now=now, by=token(booking, Notice.BOOKING_MOVED)).slot_start == slot(now, 5)


def test_the_second_click_meets_what_the_first_did(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    used = token(booking)
    move(booking, slot(now, 4), now=now, by=used)
    before = everything()
    for to in (slot(now, 4), slot(now, 5)):
        assert move(booking, to, now=now, by=used).slot_start == slot(now, 4)
    assert everything() == before


def test_a_move_of_an_unpaid_session_only_shortens_the_time_to_pay(who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=slot(now, 5))
    assert booking.pay_by == now + DAY
    later = move(booking, slot(now, 6), now=now + HOUR, by=token(booking, Notice.BOOKING_APPROVED))
    assert later.pay_by == now + DAY
    nearer = move(booking, slot(now, 1, 4), now=now + HOUR, by=token(booking, Notice.BOOKING_MOVED))
    assert nearer.pay_by == now + DAY  # an hour before the slot is later than that
    assert nearer.due_at == nearer.pay_by + policy.PAY_GRACE
    assert (
        scenarios.notices_about(booking)[-1] == Notice.BOOKING_MOVED
    )  # the psychologist hears of confirmed sessions only


def test_a_payment_that_is_under_way_goes_on(who: Psychologist, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now, who=who, at=slot(now, 3))
    moved = move(booking, slot(now, 4), now=now, by=token(booking, Notice.BOOKING_APPROVED))
    assert (moved.state, moved.due_at) == (State.PAYMENT_PENDING, booking.due_at)
    money.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert scenarios.again(booking).state == State.CONFIRMED


def test_the_length_that_staff_agreed_stays_and_must_fit(who: Psychologist, now: datetime) -> None:
    pending = scenarios.pending(now=now)
    approval = staff.Approval(who.pk, slot(now, 3), slot_length=1.5 * HOUR, amount_paise=0)
    booking = staff.approve(pending.pk, approval, now=now, **STAFF)
    confirmed(who, now, RAVI, days=4)
    blocked = slot(now, 4) - SLOT  # no such slot is offered before the hours
    assert code_of(lambda: move(booking, blocked, now=now)) is Code.SLOT_TAKEN
    moved = move(booking, slot(now, 5), now=now)
    assert moved.slot_end - moved.slot_start == 1.5 * HOUR
    scenarios.approved("third@example.org", now=now, who=who, at=slot(now, 6, 1))
    by = token(booking, Notice.BOOKING_MOVED)
    assert code_of(lambda: move(booking, slot(now, 6), now=now, by=by)) is Code.SLOT_TAKEN


def test_a_session_in_person_moves_to_the_place_of_the_hours(now: datetime) -> None:
    rooms = Location.objects.create(name="Rooms", address="1 Old Street")
    annex = Location.objects.create(name="Annex", address="2 New Street")
    who = scenarios.psychologist(location=rooms)
    offline = {"mode": "OFFLINE", "payment_mode": "OFFLINE"}
    working_hours.weekly(who, "10:00 18:00", offers="BOTH")
    working_hours.extra(who, (now + 4 * DAY).date(), "19:00 22:00", offers="OFFLINE", location=annex)
    booking = scenarios.approved(now=now, who=who, at=slot(now, 3), **offline)
    assert booking.address == "1 Old Street"
    assert move(booking, slot(now, 4) + 9 * HOUR, now=now).address == "2 New Street"


def test_the_sponsors_month_moves_along_or_refuses(who: Psychologist, now: datetime) -> None:
    acme()
    booking = approve(with_code(now=now), now, slot(now, 3))
    december = approve(with_code(RAVI, now=now), now, slot(now, 10))
    assert december.sponsored_month is not None
    assert code_of(lambda: move(booking, slot(now, 11), now=now, who=who)) is Code.MONTH_NOT_SPONSORED
    assert move(booking, slot(now, 4), now=now, who=who).sponsored_month == booking.sponsored_month


def test_a_right_to_a_full_refund_after_a_move_by_staff_outlives_a_move_by_the_visitor(
    who: Psychologist, now: datetime
) -> None:
    booking = confirmed(who, now)
    reschedule(booking.pk, Move(slot(now, 4)), now=now, **STAFF)
    moved = move(booking, slot(now, 5), now=now, by=token(booking, Notice.BOOKING_MOVED))
    assert moved.moved_by_staff_at == now


# -- what it refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", HOLDS_SLOT)
def test_it_is_possible_until_a_day_ahead_in_every_state(state: State, who: Psychologist, now: datetime) -> None:
    begin = {State.APPROVED: scenarios.approved, State.CONFIRMED: scenarios.confirmed}
    start = slot(now, 1, 4)
    booking = (
        begin[state](now=now, who=who, at=start) if state in begin else scenarios.paying(now=now, who=who, at=start)[0]
    )
    by = token(booking, Notice.BOOKING_APPROVED)
    late = start - policy.CANCEL_NOTICE + timedelta(microseconds=1)
    assert code_of(lambda: move(booking, slot(now, 4), now=late, by=by)) is Code.MOVE_TOO_LATE
    assert move(booking, slot(now, 4), now=start - policy.CANCEL_NOTICE, by=by).slot_start == slot(now, 4)


def test_twice_and_not_a_third_time(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    move(booking, slot(now, 4), now=now)
    move(booking, slot(now, 5), now=now, by=token(booking, Notice.BOOKING_MOVED))
    by = token(booking, Notice.BOOKING_MOVED)
    assert code_of(lambda: move(booking, slot(now, 6), now=now, by=by)) is Code.MOVES_USED_UP
    reschedule(booking.pk, Move(slot(now, 6)), now=now, **STAFF)  # staff may, any time
    assert scenarios.again(booking).moves_by_visitor == 2


def test_what_is_not_offered_cannot_be_had(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    other = confirmed(who, now, RAVI, days=4)
    away = working_hours.psychologist("Dr. Away")
    working_hours.away(away, now, now + 30 * DAY)
    in_person = working_hours.psychologist("Dr. Rooms", hours="")
    working_hours.weekly(in_person, "10:00 18:00", offers="OFFLINE")
    wanted = [
        (who, other.slot_start),
        (who, slot(now, 4) + 5 * timedelta(minutes=1)),  # off the grid
        (who, slot(now, 4) - 5 * HOUR),  # outside the hours
        (who, slot(now, 3)),  # its own time
        (who, now - DAY),
        (who, now + policy.BOOKING_HORIZON + DAY),
        (away, slot(now, 4)),
        (in_person, slot(now, 4)),
        (Psychologist(pk=999), slot(now, 4)),
    ]
    for psychologist, start in wanted:
        assert code_of(lambda p=psychologist, s=start: move(booking, s, now=now, who=p)) is Code.SLOT_TAKEN, start


def test_staff_who_moved_it_first_leave_the_old_link_without_effect(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    reschedule(booking.pk, Move(slot(now, 4)), now=now, **STAFF)
    assert code_of(lambda: move(booking, slot(now, 5), now=now)) is Code.LINK_EXPIRED


def test_a_closed_booking_does_not_move(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    refund = {"refund": cancellation.RefundChoice.FULL, "refund_reason": ""}
    cancellation.cancel_by_staff(booking.pk, note_to_visitor="", now=now, **refund, **STAFF)
    assert code_of(lambda: move(booking, slot(now, 4), now=now)) is Code.STATE_REFUSES
    assert Link.objects.get(purpose=Purpose.RESCHEDULE, spent_at=None, message_uuid=_uuid(booking)).expires_at == now


def _uuid(booking: Booking) -> Any:
    return Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_CONFIRMED).uuid


def test_tokens_of_other_purposes_move_nothing(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    for by in ("none", scenarios.token_of(booking, Notice.BOOKING_CONFIRMED)):
        assert code_of(lambda b=by: move(booking, slot(now, 4), now=now, by=b)) is Code.LINK_UNKNOWN


# -- what is mailed ---------------------------------------------------------------------------------------------------


def test_the_mail_says_whose_wish_it_was_and_how_to_choose_again(who: Psychologist, now: datetime) -> None:
    booking = confirmed(who, now)
    before = mails.mail_about(Notice.BOOKING_CONFIRMED, booking, now=now, dedupe_key="again")
    way = "If another time suits you better, you can choose one until Wednesday, 25 November 2026, 10:00 IST"
    assert way in before.body
    Message.objects.filter(uuid=mails.UUID_OF_ROW).delete()
    move(booking, slot(now, 4), now=now)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_MOVED)
    mail = mails.delivery.compose(mails.frozen(message, now=now), mails.links.tokens_of(message.uuid))
    assert "As you asked, your session has a new time. It is confirmed." in mail.body
    assert "Before: Thursday, 26 November 2026, 10:00 IST" in mail.body
    assert f"/go/reschedule/?token={token(booking, Notice.BOOKING_MOVED)}" in mail.body


def test_the_mail_offers_no_other_time_when_there_is_no_way(who: Psychologist, now: datetime) -> None:
    soon, often = confirmed(who, now), confirmed(who, now, RAVI, days=4)
    Booking.objects.filter(pk=often.pk).update(moves_by_visitor=2)
    for booking, at in ((soon, now + 2 * DAY), (often, now)):
        mail = mails.mail_about(Notice.BOOKING_CONFIRMED, scenarios.again(booking), now=at, dedupe_key="again")
        assert "another time suits you better" not in mail.body
        Link.objects.filter(message_uuid=mails.UUID_OF_ROW).delete()
        Message.objects.filter(uuid=mails.UUID_OF_ROW).delete()
