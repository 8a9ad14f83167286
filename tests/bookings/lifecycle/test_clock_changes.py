"""Every timer on the nights when clocks change, and under a clock that steps back: it fires, and fires once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, choices, timers
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.models import Booking, ClosedDay, LedgerEntry
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.mail_sink import Sink
from workers import mail
from workers import timers as sweeps

# which instants are due is asked of both by test_timers.py and test_sweeping.py; here the clocks are the matter
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.filterwarnings("ignore::ResourceWarning")]
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
TWO_HOURS = 2 * HOUR
NEW_YORK = ZoneInfo("America/New_York")
NIGHTS = {
    "1:30 again, in winter time": datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    "3:00, where 2:00 should be": datetime(2027, 3, 14, 7, tzinfo=UTC),
    "the midnight after": datetime(2026, 11, 2, 5, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def _new_york(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hour is quiet: a reminder that waits for the morning would not come at the instant that is asked about."""
    monkeypatch.setattr(policy, "QUIET_HOURS", None)
    settings.PRACTICE_TIME_ZONE = settings.TIME_ZONE = "America/New_York"
    settings.PAYMENT_GATEWAY = "sandbox"


@dataclass(frozen=True)
class Timer:
    """`make` brings a booking to where its timer fires at an instant; `fired` counts how often it has."""

    make: Callable[[datetime], Booking]
    sweep: Callable[[], None]
    fired: Callable[[Booking], int]
    before: timedelta = SECOND  # how long before it is looked at


def by_ledger(intent: str) -> Callable[[Booking], int]:
    return lambda booking: LedgerEntry.objects.filter(booking=booking, intent=intent).count()


def by_work(kind: GatewayWork) -> Callable[[Booking], int]:
    return lambda booking: Message.objects.filter(booking_id=booking.pk, kind=kind).count()


def by_mail(kind: Notice) -> Callable[[Booking], int]:
    return lambda booking: Message.objects.filter(
        booking_id=booking.pk, kind=kind, state=MessageState.DONE, attempts=1
    ).count()


def with_slot_at(start: datetime) -> Booking:
    """Confirmed three days before its session."""
    return scenarios.confirmed(now=start - 3 * DAY, at=start)


def with_choice_until(at: datetime) -> Booking:
    asked_at = at - policy.CHOOSE_WITHIN
    booking = scenarios.confirmed(now=asked_at, at=at + 3 * DAY)
    return choices.offer_choice(booking.pk, actor="staff:desk", now=asked_at)


def with_cancellation_asked(at: datetime) -> Booking:
    booking = with_slot_at(at + 2 * DAY)
    cancellation.request_cancellation(booking.acknowledgement_id, now=at)
    return booking


def with_lapsed_draft(at: datetime) -> Booking:
    booking = scenarios.submitted(now=at - policy.DRAFT_LIFETIME)
    timers.lapse_draft(booking.pk, now=at)
    return booking


def waiting_for_staff(at: datetime, span: timedelta) -> Booking:
    """A request whose open time of `span` ends at `at`; the practice was closed on the day before."""
    closed = (at - timedelta(hours=26)).astimezone(NEW_YORK).date()
    ClosedDay.objects.create(date=closed)
    since = at - midnight(closed + DAY)
    begun = at - span if span <= since else midnight(closed) - (span - since)
    return scenarios.pending(now=begun)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).astimezone(UTC)


TIMERS: dict[str, Timer] = {
    "draft lapses": Timer(
        lambda at: scenarios.submitted(now=at - policy.DRAFT_LIFETIME), sweeps.lapse_drafts, by_ledger("lapse_draft")
    ),
    "draft is purged": Timer(
        lambda at: with_lapsed_draft(at - RULES[Kind.DRAFTS].kept),
        sweeps.purge_drafts,
        lambda booking: Booking.objects.filter(pk=booking.pk, email="").count(),
    ),
    "request is closed": Timer(
        lambda at: waiting_for_staff(at, policy.ANSWER_WITHIN), sweeps.close_unanswered, by_ledger("unanswered")
    ),
    "approval times out": Timer(
        lambda at: scenarios.approved(now=at - policy.PAY_WITHIN - policy.PAY_GRACE, at=at + 3 * DAY),
        sweeps.time_out_approvals,
        by_ledger("payment_timed_out"),
    ),
    "gateway is asked": Timer(
        lambda at: scenarios.paying(now=at - policy.ATTEMPT_LIFETIME - policy.PAY_GRACE, at=at + 3 * DAY)[0],
        sweeps.ask_after_attempts,
        by_work(GatewayWork.ASK_GATEWAY),
    ),
    "attempt is closed unasked": Timer(
        lambda at: scenarios.paying(
            now=at - policy.ATTEMPT_LIFETIME - policy.PAY_GRACE - policy.GATEWAY_ASK_FOR, at=at + 3 * DAY
        )[0],
        sweeps.ask_after_attempts,
        by_ledger("end_idle_attempt"),
        before=policy.GATEWAY_ASK_EVERY,  # its last question, which is given a minute
    ),
    "session completes": Timer(
        lambda at: with_slot_at(at - policy.COMPLETE_AFTER - policy.SESSION_LENGTH),
        sweeps.complete_sessions,
        by_ledger("complete_session"),
    ),
    "cancellation lapses": Timer(
        lambda at: with_cancellation_asked(at - policy.CANCEL_LINK_LIFETIME),
        sweeps.lapse_cancellations,
        by_ledger("lapse_cancellation"),
    ),
    "choice lapses": Timer(with_choice_until, sweeps.lapse_choices, by_ledger("lapse_choice")),
    "draft is reminded": Timer(
        lambda at: scenarios.submitted(now=at - policy.DRAFT_REMINDER_AFTER),
        mail.drain,
        by_mail(Notice.DRAFT_STILL_UNVERIFIED),
    ),
    "staff are reminded": Timer(
        lambda at: waiting_for_staff(at, policy.STAFF_REMINDED_AFTER),
        mail.drain,
        by_mail(Notice.STAFF_BOOKING_WAITING),
    ),
    "manager is told": Timer(
        lambda at: waiting_for_staff(at, policy.MANAGER_TOLD_AFTER), mail.drain, by_mail(Notice.MANAGER_BOOKING_OVERDUE)
    ),
    "visitor reads that we are late": Timer(
        lambda at: waiting_for_staff(at, policy.MANAGER_TOLD_AFTER), mail.drain, by_mail(Notice.ANSWER_LATE)
    ),
    "payment is asked for again": Timer(
        lambda at: scenarios.approved(now=at - policy.PAY_WITHIN / 2, at=at + 3 * DAY),
        mail.drain,
        by_mail(Notice.PAYMENT_STILL_DUE),
    ),
    "session is a day away": Timer(
        lambda at: with_slot_at(at + policy.REMIND_FIRST), mail.drain, by_mail(Notice.SESSION_APPROACHING)
    ),
    "session is an hour away": Timer(
        lambda at: with_slot_at(at + policy.REMIND_LAST), mail.drain, by_mail(Notice.SESSION_IMMINENT)
    ),
}


def run(timer: Timer, at: datetime) -> None:
    """What beat causes at this instant; a clock that stepped back is noticed by its own sweep."""
    with time_machine.travel(at, tick=False):
        sweeps.mend_turns()
        timer.sweep()


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_fires_at_its_instant_and_once_although_the_clock_steps_back(name: str, night: str, sink: Sink) -> None:
    timer, at = TIMERS[name], NIGHTS[night]
    booking = timer.make(at)
    run(timer, at - timer.before)
    assert timer.fired(booking) == 0
    run(timer, at)
    assert timer.fired(booking) == 1
    for again in (at + SECOND, at - TWO_HOURS, at - SECOND, at, at + SECOND):
        run(timer, again)
        assert timer.fired(booking) == 1


@pytest.mark.parametrize("name", TIMERS)
def test_a_clock_that_steps_back_before_the_instant_does_not_stop_the_timer(name: str, sink: Sink) -> None:
    timer, at = TIMERS[name], NIGHTS["1:30 again, in winter time"]
    booking = timer.make(at)
    for early in (at - timer.before, at - TWO_HOURS, at - timer.before):
        run(timer, early)
        assert timer.fired(booking) == 0
    run(timer, at + SECOND)  # the sweep of the very instant was missed
    assert timer.fired(booking) == 1


def test_the_gateway_is_asked_every_minute_again_after_the_step() -> None:
    timer, at = TIMERS["gateway is asked"], NIGHTS["1:30 again, in winter time"]
    booking = timer.make(at)
    run(timer, at + 25 * policy.GATEWAY_ASK_EVERY)
    run(timer, at)  # the clock stepped back by less than the deadline lies behind
    assert timer.fired(booking) == 2
    run(timer, at + policy.GATEWAY_ASK_EVERY - SECOND)
    assert timer.fired(booking) == 2
    run(timer, at + policy.GATEWAY_ASK_EVERY)
    assert timer.fired(booking) == 3


@pytest.mark.parametrize(
    ("begun", "ends"),
    [
        # Friday noon: half a day, then the closed Sunday, then a day and a half
        (datetime(2026, 10, 30, 12, tzinfo=NEW_YORK), datetime(2026, 11, 3, 12, tzinfo=NEW_YORK)),
        (datetime(2027, 3, 12, 12, tzinfo=NEW_YORK), datetime(2027, 3, 16, 12, tzinfo=NEW_YORK)),
    ],
)
def test_a_closed_sunday_does_not_count_be_it_of_23_or_of_25_hours(begun: datetime, ends: datetime) -> None:
    ClosedDay.objects.create(weekday=6)
    booking = scenarios.pending(now=begun.astimezone(UTC))
    assert booking.due_at == ends.astimezone(UTC)
    warned = Message.objects.get(booking_id=booking.pk, kind=Notice.STAFF_BOOKING_WAITING).not_before
    assert warned == (begun + DAY).astimezone(UTC)  # Saturday noon


@pytest.mark.parametrize(("sunday", "hours"), [(date(2026, 11, 1), 25), (date(2027, 3, 14), 23)])
def test_an_open_sunday_counts_the_hours_it_has(sunday: date, hours: int) -> None:
    day_at = ClosedDay.calendar()
    begun = midnight(sunday)
    assert day_at(begun) == (begun + hours * HOUR, False)
    assert policy.open_time_after(begun, timedelta(hours=72), day_at) == begun + 72 * HOUR
