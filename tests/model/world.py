"""The stage: a practice, a clock that the model owns, and one call of an intent with every check after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from backend.bookings import policy
from backend.core.errors import Code, Refused
from backend.outbox import turns
from backend.people.models import Corporate, HoursMode, Location
from tests.model import (
    allowance,
    erasures,
    expected_messages,
    invariants,
    promises,
    receipts,
    relations,
    step_invariants,
)
from tests.model.allowance import Allowance
from tests.model.availability import Availability, People
from tests.model.coverage import Coverage
from tests.model.snapshot import Row, Snapshot, SnapshotReader
from tests.support import scenarios, working_hours

MONDAY_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 10:00 in Asia/Kolkata, an open day
ADDRESSES = ("asha@example.org", "ravi@example.org", "leela@example.org", "tara@example.org")
GATEWAY = "sandbox"
SPONSORS_CODE = "ACME-7Q"
DESK = {"actor": "staff:desk"}

# which of the rows that a rule may mean: one that fits, the one that fits and changed last, and now and then any
WHICH = st.integers(0, 15)
LAST_FROM = 8
ANY_FROM = 14

Turn: TypeAlias = Callable[..., None]


@dataclass(frozen=True)
class Action:
    """A rule with its arguments, which is what Hypothesis draws; prints as the call it is."""

    name: str
    given: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.given.items())})"


def action(needs: str = "", times: int = 1, **drawn: st.SearchStrategy[Any]) -> Callable[[Turn], Turn]:
    """A rule: it is left out while `needs`, a table or a list of the snapshot, is empty, and drawn `times` as often.

    No `@rule` each: Hypothesis would then leave half of them out of every example, and few bookings would get far.
    """

    def mark(function: Turn) -> Turn:
        function.needs, function.times = needs, times  # type: ignore[attr-defined]  # read by `actions`
        function.drawn = drawn  # type: ignore[attr-defined]
        return function

    return mark


def actions(*casts: type[World]) -> dict[str, Turn]:
    """The rules of these classes by name."""
    return {name: found for cast in casts for name, found in vars(cast).items() if hasattr(found, "drawn")}


def drawn_from(turns: dict[str, Turn]) -> st.SearchStrategy[Action]:
    """Any of the rules, with any of its arguments."""
    return st.one_of(
        [
            st.fixed_dictionaries(turn.drawn).map(partial(Action, name))  # type: ignore[attr-defined]
            for name, turn in turns.items()
            for _ in range(turn.times)  # type: ignore[attr-defined]
        ]
    )


@dataclass(frozen=True)
class Result:
    """What became of one call: the intent's answer or its refusal, and the rows before and after."""

    answer: Any
    code: Code | None
    before: Snapshot
    after: Snapshot

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.before != self.after

    def went_well(self) -> Result:
        """Raises AssertionError when it was refused."""
        assert self.code is None, f"refused with {self.code}"
        return self

    def met(self, obstacles: set[Code]) -> Result:
        """Raises AssertionError unless one of these refused it, or nothing did where there are none."""
        found = self.code in obstacles if obstacles else self.code is None
        assert found, f"refused with {self.code}, not one of {sorted(obstacles)}"
        return self

    def was_refused(self, code: Code | str) -> Result:
        """Raises AssertionError when it was not, or otherwise."""
        assert self.code == code, f"refused with {self.code}, not {code}"
        return self


class World(RuleBasedStateMachine):
    """One example: its rows live in a transaction of their own, which is never committed."""

    coverage = Coverage()
    a_month: int | None = None  # what the sponsor pays for

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self._kept = (settings.PAYMENT_GATEWAY, policy.REFUND_ON_VISITOR_CANCELLATION)
        settings.PAYMENT_GATEWAY = GATEWAY
        self.now = MONDAY_MORNING
        turns.forget()  # where the last example's began
        self.doing = ""
        self._changed_last = 0
        self.people = _people()
        self.fees = dict(zip(self.people, (150_000, 150_000, 120_000), strict=True))
        self.corporate = Corporate.objects.create(name="Acme", code=SPONSORS_CODE).pk
        self._camera = SnapshotReader()
        self.seen = self._camera.take()
        self.coverage.examples += 1

    def teardown(self) -> None:
        """Everything goes back, the settings too."""
        settings.PAYMENT_GATEWAY, policy.REFUND_ON_VISITOR_CANCELLATION = self._kept
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    def take(self, turn: Turn, action: Action) -> None:
        """One turn, if there is anything that it could mean."""
        needs = turn.needs  # type: ignore[attr-defined]
        if needs and not getattr(self.seen, needs):
            return
        self.doing = action.name
        self.coverage.tried[action.name] += 1
        turn(self, **action.given)

    def do(self, intent: Callable[..., Any], *args: Any, timed: bool = True, **given: Any) -> Result:
        """Call the intent at the model's clock. A refusal changes nothing; afterwards everything holds."""
        answer, code = None, None
        clock = {"now": self.now} if timed else {}
        try:
            answer = intent(*args, **given, **clock)
        except Refused as refused:
            code = refused.code
        did = Result(answer, code, self.seen, self._camera.take())
        self._count(intent, did)
        if code is not None:
            assert not did.changed, f"{code}, and yet something was written"
        elif did.changed:
            connection.check_constraints()
            self._check(did.before, did.after)
        self.seen = did.after
        return did

    def _check(self, before: Snapshot, after: Snapshot) -> None:
        invariants.check(after)
        relations.check(after)
        allowance.check(after)
        step_invariants.check(before, after, now=self.now)
        expected_messages.check(before, after, now=self.now)
        promises.check(after, now=self.now)
        erasures.check(after)
        erasures.check_step(before, after, now=self.now)
        receipts.check(after)
        receipts.check_step(before, after)
        written = [entry for entry in after.ledger.values() if entry.id not in before.ledger]
        allowance.check_step(before, after, written, self.a_month)

    def availability(self) -> Availability:
        """Who holds which time as of now."""
        return Availability.of(self.seen, self.people, self.now)

    def allowance(self) -> Allowance:
        """What the sponsor has left as of now."""
        return Allowance(self.seen, self.a_month)

    def look(self) -> None:
        """Take a new snapshot, after what was no intent."""
        self.seen = self._camera.take()
        self.coverage.steps += 1

    def worked(self) -> None:
        """Count a rule as a success although it must not change anything."""
        self.coverage.worked[self.doing] += 1

    def _count(self, intent: Callable[..., Any], did: Result) -> None:
        self.coverage.steps += 1
        self.coverage.called[f"{intent.__module__.rpartition('.')[2]}.{intent.__name__}"] += 1
        if did.code is not None:
            self.coverage.refused[did.code] += 1
        elif did.changed:
            self.worked()
        for booking in did.after.bookings.values():
            was = did.before.bookings.get(booking.id)
            if was != booking:
                self._changed_last = booking.id
            if was is None or was.state != booking.state:
                self.coverage.entered[booking.state] += 1

    def one_of(self, rows: Iterable[Row], which: int, fits: Callable[[Row], bool]) -> Row:
        """The row that `which` means. There is at least one: the rule waited for it."""
        everything = list(rows)
        fitting = [row for row in everything if fits(row)]
        last = [row for row in fitting if _booking_of(row) == self._changed_last]
        pool = fitting or everything
        if which >= LAST_FROM:
            pool = everything if which >= ANY_FROM else last or pool
        return pool[which % len(pool)]

    def booking(self, which: int, *states: str) -> Row:
        """A booking, mostly one in these states."""
        return self.one_of(self.seen.bookings.values(), which, lambda booking: booking.state in states)


def _people() -> People:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    by_hours = scenarios.psychologist("Dr. Anita Rao", email="anita@example.org", location=place, fee_paise=120_000)
    working_hours.weekly(by_hours, "10:00 18:00", offers=HoursMode.BOTH)
    return People(
        anywhere=scenarios.psychologist(location=place).pk,
        online_only=scenarios.psychologist("Dr. Kabir Sen", email="kabir@example.org").pk,
        by_hours=by_hours.pk,
    )


def _booking_of(row: Row) -> int | None:
    return row.id if hasattr(row, "acknowledgement_id") else getattr(row, "booking_id", None)
