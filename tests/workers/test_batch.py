"""A batch: each attempt is counted before its effect, and nothing that befalls one row costs another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from backend.core import statements
from backend.core.errors import Permanent, Transient
from backend.core.statements import Statement
from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, Queue
from workers import batch as batches
from workers.batch import Batch, Foreseen

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


class Provider:
    """Takes what it is handed. What befalls a row as it is looked at, before it is taken, and after."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.looked_at: list[str] = []
        self.before: Callable[[Message], None] = lambda _row: None
        self.after: Callable[[Message], None] = lambda _row: None
        self.look: Callable[[Message], None] = lambda _row: None

    def look_ahead(self, rows: Sequence[Message]) -> dict[int, Foreseen]:
        for row in rows:
            self.look(row)
        self.looked_at += [row.dedupe_key for row in rows]
        return {row.pk: Foreseen(partial(self.take, row)) for row in rows}

    def perform(self, row: Message) -> MessageState:
        self.look(row)
        assert attempts.write([attempts.hand_over(row)])
        return self.take(row)

    def take(self, row: Message, _found: object = None) -> MessageState:
        self.before(row)
        self.took.append(row.dedupe_key)
        self.after(row)
        return MessageState.DONE

    def work(self, at: datetime) -> Batch:
        """One batch of what is due then."""
        with time_machine.travel(at, tick=False):
            batch = Batch(messages.claim(Queue.MAIL, now=at), self.perform, self.look_ahead, is_trial=False)
            batch.work_off(may_go_on=lambda: True)
        return batch


@pytest.fixture
def provider() -> Provider:
    return Provider()


def owe(now: datetime, *keys: str, booking_id: int | None = None) -> list[Message]:
    with transaction.atomic():
        for key in keys:
            given = {"queue": Queue.MAIL, "kind": "x", "recipient": "asha@example.org", "booking_id": booking_id}
            messages.emit(dedupe_key=key, now=now, **given)
    return list(Message.objects.filter(dedupe_key__in=keys).order_by("pk"))


def fresh(row: Message) -> Message:
    return Message.objects.get(pk=row.pk)


def states() -> dict[str, tuple[str, int]]:
    return {row.dedupe_key: (row.state, row.attempts) for row in Message.objects.all()}


def only(key: str, does: Callable[[], object]) -> Callable[[Message], None]:
    def befall(row: Message) -> None:
        if row.dedupe_key == key:
            does()

    return befall


def fail(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_the_end_of_one_and_the_beginning_of_the_next_are_one_statement(now: datetime, provider: Provider) -> None:
    owe(now, *"abcde")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        provider.work(now)
    written = [query["sql"] for query in asked if "UPDATE outbox_message" in query["sql"]]
    assert len(written) == 6  # the first beginning, four ends with the next beginning, and the last end
    assert states() == dict.fromkeys("abcde", (MessageState.DONE, 1))


def test_an_attempt_is_counted_before_its_effect(now: datetime, provider: Provider) -> None:
    owe(now, *"abc")
    seen = []
    provider.before = lambda row: seen.append((fresh(row).attempts, fresh(row).may_have_left, fresh(row).hand_overs))
    provider.work(now)
    assert seen == [(1, True, 1)] * 3


def test_what_became_of_a_row_is_stored_before_the_next_effect(now: datetime, provider: Provider) -> None:
    first, *_ = owe(now, *"abc")
    provider.before = only("b", lambda: seen.append(fresh(first).state))
    seen: list[str] = []
    provider.work(now)
    assert seen == [MessageState.DONE]


@pytest.mark.parametrize(
    ("instant", "end"),
    [
        ("look", (MessageState.WAITING, 3)),  # it dies before it is handed over, so it goes on to its last attempt
        ("before", (MessageState.UNKNOWN, 2)),
        ("after", (MessageState.UNKNOWN, 2)),
    ],
)
def test_a_row_that_kills_its_worker_costs_only_its_own_attempts(
    instant: str, end: tuple[str, int], now: datetime, provider: Provider
) -> None:
    owe(now, *"abc")
    setattr(provider, instant, only("b", fail(Killed())))
    for turn in range(4):
        with contextlib.suppress(Killed):
            provider.work(now + turn * attempts.LEASE)
    assert states() == {"a": (MessageState.DONE, 1), "b": end, "c": (MessageState.DONE, 1)}
    assert sorted(provider.took) == sorted("abbc" if instant == "after" else "ac")


def test_what_a_dead_worker_left_is_begun_before_anybody_looks_at_it(now: datetime, provider: Provider) -> None:
    owe(now, "a")
    messages.claim(Queue.MAIL, now=now)
    provider.work(now + messages.CLAIMED_FOR)
    assert (provider.looked_at, provider.took) == ([], ["a"])


def test_two_of_one_booking_leave_in_order(now: datetime, provider: Provider) -> None:
    _, newer = owe(now, "older", "newer", booking_id=1)
    owe(now, "other")
    Message.objects.filter(pk=newer.pk).update(next_attempt_at=now - timedelta(seconds=5))  # its turn comes first
    provider.work(now)
    assert (provider.took, fresh(newer).attempts) == (["older", "other"], 0)
    provider.work(now + batches.TURN)
    assert provider.took == ["older", "other", "newer"]


@pytest.mark.parametrize("error", [Transient("busy", surely_not_sent=True), Killed()])
def test_the_second_of_one_booking_waits_while_the_first_is_not_settled(
    error: BaseException, now: datetime, provider: Provider
) -> None:
    owe(now, "older", "newer", booking_id=1)
    owe(now, "other")
    provider.before = only("older", fail(error))
    for at in (now, now + messages.CLAIMED_FOR):
        with contextlib.suppress(Killed):
            provider.work(at)
    assert "newer" not in provider.took
    assert states()["newer"] == (MessageState.WAITING, 0)
    assert states()["other"] == (MessageState.DONE, 1)


def test_the_second_of_one_booking_leaves_once_the_first_is_given_up(now: datetime, provider: Provider) -> None:
    owe(now, "older", "newer", booking_id=1)
    provider.before = only("older", fail(Permanent("no such mailbox", surely_not_sent=True)))
    provider.work(now)
    assert provider.took == ["newer"]
    assert states() == {"older": (MessageState.DEAD, 1), "newer": (MessageState.DONE, 1)}


def test_an_elder_that_another_worker_has_by_now_is_waited_for(now: datetime, provider: Provider) -> None:
    older, _ = owe(now, "older", "newer", booking_id=1)
    provider.after = only("older", lambda: lose(older))
    provider.work(now)
    assert provider.took == ["older"]
    assert states() == {"older": (MessageState.WAITING, 1), "newer": (MessageState.WAITING, 0)}


def lose(row: Message) -> None:
    """Somebody else claims it."""
    Message.objects.filter(pk=row.pk).update(fence=F("fence") + 1)


def test_a_worker_whose_lease_is_over_begins_nothing_and_settles_nothing(now: datetime, provider: Provider) -> None:
    first, second, _ = owe(now, *"abc")
    provider.before = only("a", lambda: (lose(first), lose(second)))
    provider.work(now)
    assert provider.took == ["a", "c"]
    assert states() == {
        "a": (MessageState.WAITING, 1),
        "b": (MessageState.WAITING, 0),
        "c": (MessageState.DONE, 1),
    }


def test_one_row_that_breaks_the_look_leaves_the_others_theirs(
    now: datetime, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    owe(now, *"abc")
    provider.look_ahead = lambda _rows: 1 / 0
    provider.work(now)
    assert "nothing is foreseen of 3 rows" in caplog.text
    assert states() == dict.fromkeys("abc", (MessageState.DONE, 1))


def test_a_long_batch_looks_again_at_what_is_left(
    now: datetime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(now, *"abc")
    provider.after = lambda _row: monkeypatch.setattr(batches, "LOOK_LASTS", 0.0)  # time has passed
    batch = Batch(messages.claim(Queue.MAIL, now=now), provider.perform, provider.look_ahead, is_trial=False)
    provider.look = lambda _row: monkeypatch.setattr(batches, "LOOK_LASTS", 9.0)
    batch.work_off(may_go_on=lambda: True)
    assert provider.looked_at == [*"abc", *"bc", *"c"]


@pytest.mark.parametrize("is_locked", [False, True])
def test_an_effect_is_given_what_was_found_as_it_began_unless_that_is_no_longer_fresh(
    is_locked: bool, now: datetime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(now, *"abc")
    given: list[object] = []

    def look_ahead(rows: Sequence[Message]) -> dict[int, Foreseen]:
        asked = "SELECT attempts FROM outbox_message WHERE id = %s"
        return {row.pk: Foreseen(partial(take, row), Statement(asked, [row.pk], statements.rows)) for row in rows}

    def take(row: Message, found: object) -> MessageState:
        given.append(found)
        return provider.take(row)

    if is_locked:  # one of the two is written by itself, after a wait
        usual = attempts.write_and_ask
        monkeypatch.setattr(batches.attempts, "write_and_ask", lambda rows, asked: usual(rows[len(rows) > 1 :], asked))
    monkeypatch.setattr(provider, "look_ahead", look_ahead)
    provider.work(now)
    assert given == [None, *[None if is_locked else [(1,)]] * 2]  # before the first nothing else is written
    assert states() == dict.fromkeys("abc", (MessageState.DONE, 1))


def test_what_was_not_begun_is_handed_back(now: datetime, provider: Provider) -> None:
    owe(now, *"abc")
    batch = Batch(messages.claim(Queue.MAIL, now=now), provider.perform, provider.look_ahead, is_trial=False)
    batch.work_off(may_go_on=lambda: not provider.took)
    assert provider.took == ["a"]
    assert [(row.state, row.attempts, row.lease_expires_at) for row in Message.objects.order_by("pk")] == [
        (MessageState.DONE, 1, None),
        (MessageState.WAITING, 0, None),
        (MessageState.WAITING, 0, None),
    ]
