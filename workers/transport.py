"""kombu's way through Redis, but no message stops a worker or tells it more than to wake (`workers/wake_ups.py`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual

from workers import wake_ups

log = logging.getLogger(__name__)

MOST = 100  # wake-ups that lie on a queue: some minute of them. An older one says what each newer one says
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_listeners: list[Callable[[str, str], None]] = []


def on_discarded(listener: Callable[[str, str], None]) -> None:
    """Call it with queue and kind of error whenever a message was not one of ours; in the event loop, so briefly."""
    _listeners.append(listener)


class QoS(redis.QoS):
    """What a worker holds unacknowledged."""

    def ack(self, delivery_tag: str) -> None:
        """Let go of it even if the broker does not hear so.

        kombu keeps it then, and with a prefetch count of 1 the worker never asks for another. The broker gives it to
        somebody once more after the visibility time-out, which only costs a look.
        """
        with self._letting_go(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """As `ack`."""
        with self._letting_go(delivery_tag):
            super().reject(delivery_tag, requeue=requeue)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Give it back to its queue. What is none of ours is let go of, or every worker would meet it at its start."""
        try:
            super().restore_by_tag(tag, client=client, leftmost=leftmost)
        except UNREADABLE as error:
            channel: Any = self.channel
            self._remove_from_indices(tag).execute()  # type: ignore[attr-defined]
            channel.discarded(type(error).__name__)

    @contextmanager
    def _letting_go(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        finally:
            virtual.QoS.ack(self, delivery_tag)


class Channel(redis.Channel):
    """A queue never grows, and what cannot be read is passed over."""

    QoS = QoS

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        """The oldest go when there are too many: no clock decides, as it would if messages expired."""
        super()._put(queue, message, **options)
        key: str = self._q_for_pri(  # type: ignore[attr-defined]
            queue, self._get_message_priority(message, reverse=False)
        )
        with self.conn_or_acquire() as client:
            client.ltrim(key, 0, MOST - 1)

    def _create_client(self, asynchronous: bool = False) -> Any:
        client: Any = super()._create_client(asynchronous=asynchronous)  # type: ignore[misc]
        client.set_response_callback("BRPOP", _not_too_long)
        return client

    def _do_restore_message(
        self,
        payload: Any,
        exchange: str,  # noqa: ARG002 -- kombu gives it
        routing_key: Any,
        pipe: Any,
        leftmost: bool = False,
    ) -> None:
        """To the queue that it names, whatever the exchange. Raises what UNREADABLE lists."""
        if routing_key not in wake_ups.QUEUES:
            raise ValueError("no queue of ours")
        super()._do_restore_message(  # type: ignore[misc]
            wake_ups.anew(payload, routing_key), "", routing_key, pipe, leftmost
        )

    def _brpop_read(self, **options: Any) -> bool:
        held = set(self.qos._delivered or ())
        try:
            return bool(super()._brpop_read(**options))  # type: ignore[misc]
        except UNREADABLE as error:
            for tag in set(self.qos._delivered or ()) - held:
                self.qos.ack(tag)
            self.discarded(type(error).__name__)
            raise Empty from error

    def discarded(self, reason: str) -> None:
        """Tell that something was no message of ours."""
        queue = next(iter(self.active_queues), "")
        for listener in _listeners:
            listener(queue, reason)


class Transport(redis.Transport):
    """Redis, with the channel above."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if queue is not None and wake_ups.are_of(queue):
            message = wake_ups.anew(message, queue)
        super()._deliver(message, queue)


def _not_too_long(answer: Any, **_options: Any) -> Any:
    """BRPOP's answer. Raises ValueError before a long one is taken apart."""
    if answer and len(answer[1]) > wake_ups.LONGEST:
        raise ValueError("too long")
    return answer


def register() -> None:
    """From now on kombu's `redis://` and `rediss://` mean this transport."""
    name = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=name, rediss=name)
