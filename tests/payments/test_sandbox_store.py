"""What the sandbox gateway remembers: behaviours, facts and the pauses of its webhooks, without a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.payments.gateway import (
    Order,
    OrderState,
)
from backend.payments.sandbox.store import Store, Webhook
from backend.payments.sandbox.webhooks import next_attempt
from backend.payments.sandbox.wire import Behaviour, Instruction
from tests.support.gateway import new_order

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def order() -> Order:
    return new_order()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "sandbox.sqlite3")
    yield made
    made.close()


def test_an_orders_own_behaviour_goes_before_that_of_all(store: Store) -> None:
    assert store.instruction("a", 0) == Instruction(Behaviour.CAPTURE, 0)
    store.instruct(None, Instruction(Behaviour.DECLINE, 0), 0)
    store.instruct("b", Instruction(Behaviour.LATE, 3), 0)
    assert store.instruction("a", 0) == Instruction(Behaviour.DECLINE, 0)
    assert store.instruction("b", 0) == Instruction(Behaviour.LATE, 3)


@pytest.mark.parametrize(("now", "expected"), [(129.9, "unreachable"), (130.0, "capture"), (130.1, "capture")])
def test_unreachable_ends_with_its_span(store: Store, now: float, expected: str) -> None:
    store.instruct("a", Instruction(Behaviour.UNREACHABLE, 30), 100)
    assert store.instruction("a", now).behaviour == expected


@pytest.mark.parametrize(
    ("now", "expected"), [(104.9, OrderState.OPEN), (105.0, OrderState.CAPTURED), (105.1, OrderState.CAPTURED)]
)
def test_late_counts_from_the_first_ask(store: Store, order: Order, now: float, expected: OrderState) -> None:
    store.open_order(order)
    store.complete(order.reference, Instruction(Behaviour.LATE, 5), 100)
    store.complete(order.reference, Instruction(Behaviour.LATE, 5), 104)
    store.advance(now)
    assert store.order(order.reference).state == expected
    assert len(store.due_webhooks(now)) == (expected == OrderState.CAPTURED)


def test_a_fact_is_reported_once_however_often_it_is_asked_for(store: Store, order: Order) -> None:
    store.open_order(order)
    for now in (100, 101, 102):
        store.capture(order.reference, now)
        store.complete(order.reference, Instruction(Behaviour.CAPTURE, 0), now)
        store.advance(now)
    (webhook,) = store.due_webhooks(102)
    store.tried(webhook, None)
    assert store.due_webhooks(10**9) == []


def test_a_failed_webhook_comes_back_when_its_pause_is_over(store: Store, order: Order) -> None:
    store.open_order(order)
    store.capture(order.reference, 100)
    (webhook,) = store.due_webhooks(100)
    store.tried(webhook, 102)
    assert store.due_webhooks(101.9) == []
    assert [(again.event_id, again.attempts) for again in store.due_webhooks(102)] == [(webhook.event_id, 1)]


def test_pauses_grow_from_one_second_to_thirty_and_end_after_a_day() -> None:
    def pause(attempts: int, now: float = 0) -> float | None:
        next_at = next_attempt(Webhook("evt", b"", 0, attempts), now)
        return None if next_at is None else next_at - now

    assert [pause(attempts) for attempts in (0, 1, 2, 9, 2_900)] == [1, 1.5, 2.25, 30, 30]
    day = 86_400
    assert (pause(2_900, day - 1), pause(2_900, day), pause(2_900, day + 1)) == (30, None, None)
