"""What time does: the clock runs, jumps to deadlines and steps back; timers fire, due or not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from hypothesis import strategies as st

from backend.bookings import queries
from backend.bookings.lifecycle import attempts, cancellation, choices, erasure, timers
from backend.bookings.lifecycle.sweeping import TimedIntent
from backend.bookings.retention import Kind
from backend.ops import purges
from tests.model.invariants import ACTIVE, GRACE
from tests.model.snapshot import Row
from tests.model.world import WHICH, Result, World, action

SPANS = st.sampled_from(
    [
        timedelta(minutes=1),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(days=1),
        timedelta(days=3),
    ]
)
DEADLINES: dict[str, tuple[TimedIntent, str, str]] = {
    "lapse_draft": (timers.lapse_draft, "DRAFT", "CANCELLED"),
    "close_unanswered": (timers.close_unanswered, "PENDING", "CANCELLED"),
    "time_out_approval": (timers.time_out_approval, "APPROVED", "CANCELLED"),
    "complete_session": (timers.complete_session, "CONFIRMED", "COMPLETED"),
}
ASKED_FOR = timedelta(minutes=30)  # how long the gateway is asked after the deadline
AN_HOUR = timedelta(hours=1)


class Clock(World):
    """A timer that comes early, late or twice does nothing; one that is due does exactly its work."""

    @action(span=SPANS)
    def wait(self, span: timedelta) -> None:
        self.now += span
        self.worked()

    @action(needs="bookings", times=3, which=WHICH, seconds=st.sampled_from([0, -1, 1]))
    def reach(self, which: int, seconds: int) -> None:
        """To a booking's deadline, just before it, or just after."""
        was = self.one_of(self.seen.bookings.values(), which, lambda b: b.due_at is not None and b.due_at > self.now)
        if was.due_at is not None:
            self.now = max(self.now, was.due_at + timedelta(seconds=seconds))  # clocks step back by hours at most
            self.worked()

    @action(needs="claims", which=WHICH, seconds=st.sampled_from([0, -1, 1]))
    def reach_a_session(self, which: int, seconds: int) -> None:
        """To the start of a session, just before it, or just after."""
        claim = self.one_of(self.seen.claims.values(), which, lambda claim: claim.blocked_from > self.now)
        self.now = max(self.now, claim.blocked_from + timedelta(seconds=seconds))
        self.worked()

    @action(needs="bookings", which=WHICH, seconds=st.sampled_from([0, -1, 1]))
    def reach_an_end(self, which: int, seconds: int) -> None:
        """To one of the next instants at which a right or a link ends, just before it, or just after."""
        ahead = sorted({at for at in self._ends() if at > self.now})
        if ahead:
            self.now = ahead[which % min(len(ahead), 6)] + timedelta(seconds=seconds)
            self.worked()

    @action()
    def step_back(self) -> None:
        self.now -= timedelta(hours=2)
        self.worked()

    @action(needs="bookings", times=2, which=WHICH, name=st.none() | st.sampled_from(sorted(DEADLINES)))
    def fire(self, which: int, name: str | None) -> None:
        """The timer of the booking's state, or any."""
        was = self.one_of(self.seen.bookings.values(), which, self._is_overdue)
        timer, source, target = DEADLINES.get(name or _TIMER_OF.get(was.state, ""), DEADLINES["lapse_draft"])
        self._fired(self.do(timer, was.id), was, self._is_due(was, source), target)
        assert not self.do(timer, was.id).changed, "it fired twice"

    @action(needs="attempts", times=2, which=WHICH, late=st.booleans())
    def ask_gateway(self, which: int, late: bool) -> None:
        is_being_paid = lambda booking: booking.state == "PAYMENT_PENDING"  # noqa: E731
        was = self.one_of(self.seen.bookings.values(), which, is_being_paid if late else self._is_unpaid)
        if late and is_being_paid(was):
            self.now = max(self.now, was.due_at)
        did = self.do(attempts.ask_after_attempt, was.id)
        if was.state != "PAYMENT_PENDING" or was.due_at > self.now:
            assert not did.changed, "asked before its time"
        elif was.due_at + ASKED_FOR <= self.now:
            deadline = min(was.pay_by + GRACE, was.slot_start)
            goes_on = self.now < deadline or was.choose_by is not None
            target = "APPROVED" if goes_on else "PAYMENT_FAILED"
            assert did.after.bookings[was.id].state == target
        elif was.next_ask_at is None or was.next_ask_at <= self.now:
            assert len(did.after.messages) == len(did.before.messages) + 1, "the gateway was not asked"
        else:
            assert not did.changed, "asked twice in a minute"

    @action(needs="bookings", which=WHICH, late=st.booleans())
    def lapse_cancellation(self, which: int, late: bool) -> None:
        asked = lambda booking: booking.cancellation_requested_at is not None  # noqa: E731
        was = self.one_of(self.seen.bookings.values(), which, asked)
        if late and asked(was):
            self.now = max(self.now, was.cancellation_requested_at + AN_HOUR)
        did = self.do(cancellation.lapse_cancellation, was.id)
        assert did.changed == (asked(was) and was.cancellation_requested_at + AN_HOUR <= self.now)
        assert did.after.bookings[was.id].state == was.state

    @action(needs="bookings", which=WHICH, late=st.booleans())
    def lapse_choice(self, which: int, late: bool) -> None:
        was = self.one_of(self.seen.bookings.values(), which, lambda booking: booking.choose_by is not None)
        if late and was.choose_by is not None:
            self.now = max(self.now, was.choose_by)
        did = self.do(choices.lapse_choice, was.id)
        assert did.changed == (was.choose_by is not None and was.choose_by <= self.now)
        if did.changed:
            after = did.after.bookings[was.id]
            assert (after.state, after.reason, after.choose_by) == ("CANCELLED", "by_staff", None)
            assert did.after.held(was.id) == 0, f"we could not hold it, and kept money: {was}"

    @action(needs="bookings", times=2, which=WHICH)
    def purge(self, which: int) -> None:
        was = self.one_of(self.seen.bookings.values(), which, self._is_stale)
        did = self.do(timers.purge_draft, was.id)
        assert did.changed == self._is_stale(was)
        if did.changed:
            after = did.after.bookings[was.id]
            assert (after.email, after.full_name, after.user_message, after.client_id) == ("", "", "", None)
            others = any(b.client_id == was.client_id for b in did.after.bookings.values())
            assert (was.client_id in did.after.clients) == others, "a client without booking, or a booking without"

    @action(needs="bookings")
    def sweep(self) -> None:
        """Everything the workers would do now; afterwards nothing is overdue but what the gateway is asked about."""
        for booking_id in _ids(queries.choices_to_lapse(now=self.now)):
            self.do(choices.lapse_choice, booking_id)
        for timer, *_ in DEADLINES.values():
            self.do(timer.batch)
        for booking_id in _ids(queries.attempts_to_ask_after(now=self.now)):
            self.do(attempts.ask_after_attempt, booking_id)
        self.do(cancellation.lapse_cancellation.batch)
        self.do(timers.purge_draft.batch)
        for request_id in _ids(queries.data_requests_due(now=self.now)):
            self.do(erasure.carry_out, request_id)
        self.do(purges.purge, Kind.LINKS)
        self.do(purges.purge, Kind.MAILS)
        self.do(purges.purge, Kind.ANSWERS)
        for request in self.seen.open_requests:
            assert request.due_at > self.now, f"nobody looked at it: {request}"
        for booking in self.seen.bookings.values():
            self._in_time(booking)

    def _in_time(self, booking: Row) -> None:
        assert booking.choose_by is None or booking.choose_by > self.now, f"to be chosen for ever: {booking}"
        if booking.state == "PAYMENT_PENDING":
            assert booking.due_at + ASKED_FOR > self.now, f"asked after for ever: {booking}"
            assert booking.due_at > self.now or booking.next_ask_at > self.now, f"not asked after: {booking}"
        elif booking.due_at is not None:
            assert booking.due_at > self.now or booking.reason.startswith("attempt_"), f"overdue: {booking}"
        if booking.state in ACTIVE and booking.cancellation_requested_at is not None:
            assert booking.cancellation_requested_at + AN_HOUR > self.now, f"asked to cancel for ever: {booking}"

    def _is_due(self, booking: Row, state: str) -> bool:
        """A choice that is open ends first."""
        is_over = booking.state == state and booking.due_at <= self.now
        return is_over and booking.choose_by is None

    def _fired(self, did: Result, was: Row, is_due: bool, target: str) -> None:
        if is_due:
            assert did.after.bookings[was.id].state == target, f"due, and nothing happened: {was}"
        else:
            assert not did.changed, f"fired before its time: {was}"

    def _is_stale(self, booking: Row) -> bool:
        """Closed unproved for an hour, and still somebody's."""
        is_unproved = booking.state == "CANCELLED" and booking.verified_at is None and booking.purged_at is None
        if any(wish.client_id == booking.client_id and wish.state == "waiting" for wish in self.seen.open_requests):
            return False  # that takes it along
        return is_unproved and booking.closed_at + AN_HOUR <= self.now

    def _is_overdue(self, booking: Row) -> bool:
        return booking.state in _TIMER_OF and booking.due_at <= self.now

    def _is_unpaid(self, booking: Row) -> bool:
        return booking.state == "PAYMENT_PENDING" and booking.due_at <= self.now

    def _ends(self) -> list[datetime]:
        found: list[datetime | None] = [link.expires_at for link in self.seen.links.values()]
        for booking in self.seen.bookings.values():
            found += [booking.pay_by, booking.choose_by, booking.slot_end, booking.next_ask_at]
            if booking.cancellation_requested_at is not None:
                found.append(booking.cancellation_requested_at + AN_HOUR)
            if booking.closed_at is not None:
                found.append(booking.closed_at + AN_HOUR)
            if booking.slot_start is not None:
                found.append(booking.slot_start - timedelta(hours=24))
        return [at for at in found if at is not None]


_TIMER_OF = {source: name for name, (_, source, _) in DEADLINES.items()}


def _ids(due: QuerySet[Any]) -> list[int]:
    return list(due.values_list("pk", flat=True))
