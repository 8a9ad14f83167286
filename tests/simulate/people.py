"""What visitors, the desk and psychologists do in the year: each act is one intent, and may lead to a later one."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from backend.bookings.lifecycle import approval, attempts, cancellation, payments, rescheduling, visitor
from backend.bookings.lifecycle.approval import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.payments.models import Payment
from tests.support import scenarios, working_hours

DESK = "staff:desk"
HOURS = "09:00 19:00"
SESSIONS_EACH = 6  # that a psychologist gives on a full day, from hour to hour and a half
EVERY = timedelta(minutes=90)
# shares of those who come so far
PROVES, IS_DECLINED, PAYS, IS_REFUSED_ONCE, CALLS_OFF, MOVES, COMES_BACK = 0.92, 0.05, 0.95, 0.03, 0.07, 0.06, 0.6
ARRIVE = 1 / (PROVES * (1 - IS_DECLINED) * PAYS * (1 - CALLS_OFF))  # for one session that takes place
MEANT = {  # what may be answered to somebody who comes at the wrong moment
    Code.ALREADY_ACTIVE, Code.SLOT_TAKEN, Code.SLOT_TOO_NEAR, Code.STATE_REFUSES, Code.PAY_BY_PASSED, Code.LINK_EXPIRED,
    Code.MOVE_TOO_LATE, Code.CANCEL_TOO_LATE, Code.PAYMENT_DECLINED, Code.CANCELLATION_PENDING, Code.MOVES_USED_UP,
    Code.SLOT_PAST,
}  # fmt: skip


@dataclass
class Town:
    """Everybody, and what each means to do next."""

    sessions: int  # that take place on a day, about
    chance: random.Random
    refused: list[str] = field(default_factory=list)  # that nobody should have met
    made: int = 0  # bookings asked for
    _agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _paying: deque[Payment] = field(default_factory=deque)
    _away: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        needed = -(-self.sessions * 3 // (2 * SESSIONS_EACH)) + 1
        self.psychologists = [
            working_hours.psychologist(f"Dr. N. {number}", hours=HOURS, email=f"p{number}@practice.example").pk
            for number in range(needed)
        ]

    def arrive(self, share: float, now: datetime) -> None:
        """Some of a day's visitors; many have been here before."""
        wanted = self.sessions * ARRIVE * share
        for _ in range(int(wanted) + (self.chance.random() < wanted % 1)):
            is_known = bool(self._away) and self.chance.random() < COMES_BACK
            address = self._returns() if is_known else f"v{self.made}@visitors.example"
            self._try(lambda at, address=address: self._ask(address, at), now)

    def _returns(self) -> str:
        """One of those who are away, whose place the last takes: no dearer the more there are."""
        place = self.chance.randrange(len(self._away))
        self._away[place], self._away[-1] = self._away[-1], self._away[place]
        return self._away.pop()

    def act(self, now: datetime) -> None:
        """All that is due by now."""
        while self._agenda and self._agenda[0][0] <= now:
            self._try(heapq.heappop(self._agenda)[2], now)

    def pay(self, now: datetime) -> None:
        """Those who stand at the till, after the worker has made their orders."""
        while self._paying:
            payment = self._paying.popleft()
            self._try(lambda at, payment=payment: self._pay(payment, at), now)

    def _try(self, act: Callable[[datetime], None], now: datetime) -> None:
        try:
            act(now)
        except Refused as refused:
            if refused.code not in MEANT:
                self.refused.append(f"{now:%d %B}: refused with {refused.code}")

    def _later(self, after: timedelta, act: Callable[[datetime], None], now: datetime) -> None:
        heapq.heappush(self._agenda, (now + after * self.chance.uniform(0.5, 1.5), next(self._order), act))

    # -- one way through the life cycle --------------------------------------------------------------------------------

    def _ask(self, address: str, now: datetime) -> None:
        self.made += 1
        booking = scenarios.submitted(address, now=now)
        if self.chance.random() < PROVES:
            token = scenarios.token_of(booking)
            self._later(timedelta(minutes=20), lambda at: self._prove(token, at), now)

    def _prove(self, token: str, now: datetime) -> None:
        booking = visitor.verify_email(token, now=now)
        self._later(timedelta(hours=4), lambda at: self._answer(booking.pk, at), now)

    def _answer(self, booking_id: int, now: datetime) -> None:
        if self.chance.random() < IS_DECLINED:
            approval.reject(booking_id, note_to_visitor="We are full until spring.", actor=DESK, now=now)
            return
        booking = self._approve(booking_id, now)
        if self.chance.random() < PAYS:
            self._later(timedelta(hours=5), lambda at: self._begin_to_pay(booking, at), now)

    def _approve(self, booking_id: int, now: datetime) -> Booking:
        """Whoever looks at a full calendar finds a free hour after some tries."""
        for _ in range(200):
            who, start = self.chance.choice(self.psychologists), self._start(now)
            try:
                return approval.approve(booking_id, Approval(who, start), actor=DESK, now=now)
            except Refused as refused:
                if refused.code != Code.SLOT_TAKEN:
                    raise
        raise Refused(Code.SLOT_TAKEN)

    def _start(self, now: datetime) -> datetime:
        day = now.astimezone(working_hours.KOLKATA).date() + timedelta(days=self.chance.randint(2, 9))
        return working_hours.at("09:30", day) + EVERY * self.chance.randrange(SESSIONS_EACH)

    def _begin_to_pay(self, booking: Booking, now: datetime) -> None:
        self._paying.append(attempts.start_payment(booking.acknowledgement_id, now=now))

    def _pay(self, payment: Payment, now: datetime) -> None:
        if self.chance.random() < IS_REFUSED_ONCE:
            booking = payment.booking
            self._later(timedelta(hours=1), lambda at: self._begin_to_pay(booking, at), now)
            return  # closes the tab; the attempt ends by itself, and another begins
        booking = payments.complete_payment(payment.reference, now=now)
        self._after(booking, now)

    def _after(self, booking: Booking, now: datetime) -> None:
        assert booking.slot_start is not None
        left, what = booking.slot_start - now, self.chance.random()
        if what < CALLS_OFF:
            self._later(left * 0.3, lambda at: self._call_off(booking, at), now)
        elif what < CALLS_OFF + MOVES:
            self._later(left * 0.2, lambda at: self._move(booking, at), now)
        self._later(left + timedelta(days=6), lambda _at: self._away.append(booking.email), now)

    def _call_off(self, booking: Booking, now: datetime) -> None:
        cancellation.request_cancellation(booking.acknowledgement_id, now=now)
        token = scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)
        cancellation.confirm_cancellation(token, now=now)

    def _move(self, booking: Booking, now: datetime) -> None:
        """By the visitor's link, to a time that is offered."""
        fresh = scenarios.again(booking)
        if fresh.state != State.CONFIRMED:
            return
        offered = rescheduling.slots_to_move_to(fresh, now + timedelta(days=2), now + timedelta(days=4), now=now)
        if offered:
            slot = self.chance.choice(offered)
            choice = rescheduling.SlotChoice(slot.psychologist_id, slot.start)
            token = scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.RESCHEDULE)
            rescheduling.reschedule_by_visitor(token, choice, now=now)
