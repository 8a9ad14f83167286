"""A real worker to whose broker somebody else writes: the same process goes on, and does nothing it was told to."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from kombu import Connection

from backend.ops.models import Canary
from backend.outbox.models import Message
from tests.support.gateway import until
from tests.support.processes import Stack, stack
from workers.app import app

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]


PLACE = {"exchange": "", "routing_key": ""}


def message(task: object, body: object = None, **more: Any) -> str:
    made = {
        "body": base64.b64encode(json.dumps(body if body is not None else [[], {}, {}]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": task, "id": "1", "lang": "py"},
        "properties": {
            "delivery_tag": "1",
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": ""},
        },
    }
    for name, value in more.items():
        made[name] = {**made[name], **value} if isinstance(value, dict) else value
    return json.dumps(made)


def command(method: str, **arguments: object) -> str:
    """A broadcast to all workers, as `celery control` sends it."""
    order = {"method": method, "arguments": arguments, "destination": None, "pattern": None, "matcher": None}
    place = {"exchange": "celery.pidbox", "routing_key": ""}
    return message("", order, properties={"delivery_info": place})


def forgeries() -> list[str]:
    bomb = base64.b64encode(gzip.compress(b"0" * 200_000_000)).decode()
    drain, chain = "workers.mail.drain", {"chain": [{"task": "workers.mail.drain", "args": [], "options": {}}]}
    return [
        message("os.system", [["true"], {}, {}]),
        message("celery.starmap", [[{"task": drain}, [[]] * 50], {}, {}]),
        message("celery.backend_cleanup"),
        message(drain, [["mallory@example.org"], {"recipient": "mallory@example.org"}, chain]),
        message(drain, headers={"eta": "2099-01-01T00:00:00+00:00"}),
        message(drain, headers={"timelimit": [0.001, 0.001]}),
        message(drain, headers={"compression": "gzip"}, body=bomb),
        message(drain, **{"content-type": "application/x-python-serialize"}),
        message(drain, **{"content-type": "application/data"}),
        message(drain, headers={"id": {"a": 1}, "retries": "x", "shadow": []}),
        message(drain, properties={"delivery_tag": "x" * 100_000}),
        message(drain, body="x" * 600_000),
        "[" * 200_000,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ]


def is_heard(running: Stack) -> bool:
    """A canary that is sent now arrives."""
    Canary.objects.all().delete()
    with Connection(running.broker_url) as connection:
        app.send_task("workers.mail.canary", queue="mail", connection=connection)
    until(Canary.objects.filter(queue="mail").exists, within=20)
    return True


def test_a_worker_outlives_whatever_is_written_to_its_broker() -> None:
    with stack() as running:
        with Connection(running.broker_url) as connection:
            client = connection.default_channel.client
            client.hset("unacked", mapping={"a": "garbage", "b": "[]"})  # met at the start, too
            client.zadd("unacked_index", {"a": 1, "b": 2})
            worker = running.worker("mail")
            for forgery in forgeries():
                client.lpush("mail", forgery)
            for order in ("shutdown", "pool_shrink", "cancel_consumer"):
                client.publish("/0.celery.pidbox", command(order, queue="mail", n=5))
        assert is_heard(running), worker.log()
        assert worker.popen.poll() is None
        assert worker.log().count(" ready.") == 1
        assert "mallory" not in worker.log()
        assert not Message.objects.exists()
