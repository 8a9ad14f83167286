"""A message of a worker to itself, on a list that nobody else reads: what comes back shows that it hears."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import redis
from celery import bootsteps
from celery.worker.consumer import Consumer

from backend.ops import broker

FORGOTTEN_AFTER = 60  # seconds; what a worker that is gone has called to itself is of use to nobody


class Echo:
    """The list, and whether Celery listens to it now."""

    def __init__(self, on_heard: Callable[[], None]) -> None:
        self.name = f"echo.{uuid4().hex}"  # a name of the configuration could be another worker's too
        self.is_connected = False
        self._on_heard = on_heard

    def call(self) -> bool:
        """Send one, over a new connection. False: the broker does not answer."""
        try:
            with broker.client() as client:
                client.pipeline().lpush(self.name, _message()).expire(self.name, FORGOTTEN_AFTER).execute()
        except (redis.RedisError, OSError):
            return False
        return True

    def listen(self, channel: Any) -> None:
        """Beside the queue, over its connection and under its prefetch count; without acknowledgement."""
        channel.basic_consume(self.name, no_ack=True, callback=self._heard, consumer_tag=self.name)
        self.is_connected = True

    def _heard(self, _message: object) -> None:
        self._on_heard()


def _message() -> str:
    return json.dumps({"properties": {"delivery_tag": "echo", "delivery_info": {}}, "headers": {}})


class Listening(bootsteps.StartStopStep):
    """Celery's part: begins whenever a connection is there, and ends with it."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    echo: Echo | None = None  # set by the worker's process; without one, nothing is listened to

    def start(self, parent: Consumer) -> None:
        """Connected."""
        if self.echo is not None:
            self.echo.listen(parent.task_consumer.channel)  # type: ignore[attr-defined]

    def stop(self, parent: Consumer) -> None:  # noqa: ARG002 -- Celery gives it
        """The connection is gone."""
        if self.echo is not None:
            self.echo.is_connected = False
