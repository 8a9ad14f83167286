"""What a worker does with one row that it holds, written at once; workers write several rows together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.outbox import attempts, messages, order
from backend.outbox.attempts import Change
from backend.outbox.models import Message, MessageState, Queue


def _is_written(change: Change) -> bool:
    return bool(attempts.write([change]))


def begin_attempt(message: Message, *, now: datetime) -> bool:
    """False: the row is no longer ours, or was given up."""
    end = attempts.exhausted(message, now=now)
    if end is None:
        return _is_written(attempts.begin(message, now=now))
    attempts.write([end])
    return False


def hand_over(message: Message) -> bool:
    return _is_written(attempts.hand_over(message))


def settle(message: Message, state: MessageState, *, now: datetime) -> bool:
    return _is_written(attempts.settle(message, state, now=now))


def hand_back(messages: Iterable[Message]) -> None:
    attempts.write(attempts.hand_back(messages))


def postpone(message: Message, *, until: datetime) -> None:
    attempts.write([attempts.postpone(message, until=until)])


def snooze(message: Message, *, until: datetime, now: datetime) -> None:
    attempts.write([attempts.snooze(message, until=until, now=now)])


def back_off(message: Message, error: str, *, now: datetime, **how: bool) -> None:
    attempts.write([attempts.back_off(message, error, now=now, **how)])


def give_up(message: Message, error: str, *, now: datetime, **how: bool) -> None:
    attempts.write([attempts.give_up(message, error, now=now, **how)])


def waits_for_older(message: Message, *, now: datetime) -> bool:
    return bool(order.elders([message], now=now)[message.pk])


def hold(message: Message, error: str, *, now: datetime) -> None:
    messages.hold_queue(Queue(message.queue), error, now=now)
    attempts.write([attempts.hold(message, error, now=now)])
