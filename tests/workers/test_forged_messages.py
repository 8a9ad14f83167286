"""A message that somebody else wrote wakes a task of its queue at most: it chooses nothing, and stops no worker."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from django.utils import timezone
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.ops import broker
from tests.support.valkey import Valkey, running
from workers import canary, transport, wake_ups
from workers.app import app

pytestmark = pytest.mark.sqlite_only
TASK, ID = "workers.mail.canary", "11111111-1111-4111-8111-111111111111"


def body(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def forged(headers: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What somebody else would write; for the rest it is as Celery has it."""
    message = {
        "body": body([["mallory@example.org"], {"to": "mallory"}, {"chain": [{"task": "workers.mail.drain"}]}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": TASK, "id": ID, **(headers or {})},
        "properties": {"delivery_tag": "t", "delivery_info": {"exchange": "x", "routing_key": "y"}},
    }
    return message | changes


CHOOSES = {
    "arguments": {},
    "an instant far off": {"headers": {"eta": "2099-01-01T00:00:00+00:00", "expires": "2001-01-01T00:00:00+00:00"}},
    "no time at all": {"headers": {"timelimit": [0.001, 0.001]}},
    "another's id": {"headers": {"root_id": ID, "parent_id": ID, "group": ID, "replaced_task_nesting": 10**9}},
    "a pickle": {"content-type": "application/x-python-serialize", "body": "gASVAAAAAC4="},
    "raw data": {"content-type": "application/data", "body": "abc"},
    "no JSON": {"body": "e30="},
    "a bomb": {"headers": {"compression": "gzip"}, "body": base64.b64encode(gzip.compress(b"0" * 10**6)).decode()},
    "no body": {"body": None},
    "strange properties": {"properties": {"delivery_tag": {}, "body_encoding": "zlib", "priority": "x"}},
    "an answer elsewhere": {"properties": {"reply_to": "mail", "correlation_id": ID}},
}


@pytest.mark.parametrize("changes", CHOOSES.values(), ids=CHOOSES)
def test_of_a_forged_message_its_task_is_woken_and_nothing_else_is_heeded(changes: dict[str, Any]) -> None:
    made = wake_ups.anew(forged(**changes), "mail")
    again = wake_ups.anew(forged(), "mail")
    for message in (made, again):  # of each its own
        message["headers"] |= {"id": "", "root_id": ""}
        message["properties"] |= {"correlation_id": "", "delivery_tag": ""}
    assert made == again
    assert base64.b64decode(made["body"]).startswith(b"[[], {}, ")
    assert made["headers"]["timelimit"] == [None, None]
    assert ID not in json.dumps(made)


WAKES_NOBODY: list[Any] = [
    forged({"task": name})
    for name in (
        *("workers.payments.drain", "workers.mail.nothing", "celery.backend_cleanup", "celery.starmap", "os.system"),
        *("", None, 7, ["workers.mail.drain"], {}, "workers.mail.drain\n", "x" * 9000),
    )
] + [{}, [], None, "x", {"headers": None}, {"headers": []}, {"headers": {}}, {"properties": {}}]


@pytest.mark.parametrize("message", WAKES_NOBODY, ids=range(len(WAKES_NOBODY)))
def test_what_names_no_task_of_its_queue_is_no_message(message: Any) -> None:
    with pytest.raises(transport.UNREADABLE):
        wake_ups.anew(message, "mail")


def test_every_task_that_beat_sends_is_known() -> None:
    app.loader.import_default_modules()
    for task, _every in configured.BEAT_TABLE.values():
        queue = task.split(".")[1]
        assert wake_ups.anew(forged({"task": task}), queue)["headers"]["task"] == task


@pytest.mark.parametrize("said", [float("inf"), float("nan"), 1e300, "yesterday", [], None, True])
def test_an_instant_that_is_none_is_left_out(said: object) -> None:
    made = wake_ups.anew(forged({broker.SENT_AT: said}), "mail")
    assert made["headers"][broker.SENT_AT] in (None, 1.0)


# -- in a real broker -------------------------------------------------------------------------------------------------


@pytest.fixture
def connection(valkey: Valkey) -> Iterator[Connection]:
    options = {"socket_timeout": 0.5, "visibility_timeout": 1, "unacked_restore_throttle": 1}
    with Connection(valkey.url, transport_options=options) as connection:
        yield connection


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why something was passed over."""
    reasons: list[str] = []
    monkeypatch.setattr(transport, "_listeners", [lambda _queue, reason: reasons.append(reason)])
    return reasons


def listen(connection: Connection) -> tuple[Any, list[Any]]:
    channel, heard = connection.channel(), []
    connection.SimpleQueue("mail", channel=channel).consumer.cancel()
    channel.basic_consume("mail", no_ack=False, callback=heard.append, consumer_tag="test")
    return channel, heard


def test_a_worker_is_given_the_message_made_anew(connection: Connection, valkey: Valkey) -> None:
    _, heard = listen(connection)
    valkey.client.lpush("mail", json.dumps(forged({"eta": "2099-01-01T00:00:00+00:00"})))
    connection.drain_events(timeout=5)
    assert heard[0].payload == [[], {}, dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))]
    assert heard[0].headers["eta"] is None
    assert "mallory" not in str(valkey.client.hgetall("unacked"))


def test_what_is_too_long_is_passed_over_before_it_is_taken_apart(
    connection: Connection, valkey: Valkey, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, heard = listen(connection)
    parsed: list[int] = []
    loads = transport.redis.loads
    monkeypatch.setattr(transport.redis, "loads", lambda text: parsed.append(len(text)) or loads(text))
    valkey.client.lpush("mail", json.dumps(forged(body="x" * 10**6)))
    valkey.publish(canary.mail)
    connection.drain_events(timeout=5)
    assert told == ["ValueError"]
    assert len(heard) == 1
    assert max(parsed) < 2_000 < wake_ups.LONGEST


HELD: dict[str, Any] = {
    "no JSON": "garbage",
    "no triple": "[]",
    "nothing in it": json.dumps([None, "", "mail"]),
    "a queue that is none of ours": json.dumps([forged(), "", "evil"]),
    "a list as its queue": json.dumps([forged(), "", ["mail"]]),
    "another queue's task": json.dumps([forged({"task": "workers.payments.drain"}), "", "mail"]),
}


@pytest.mark.parametrize("value", HELD.values(), ids=HELD)
def test_what_was_planted_among_the_unacknowledged_is_let_go_of_and_the_rest_comes_back(
    value: str, connection: Connection, valkey: Valkey, told: list[str]
) -> None:
    channel, heard = listen(connection)
    valkey.client.hset("unacked", mapping={"a": value, "b": json.dumps([forged(), "x", "mail"])})
    valkey.client.zadd("unacked_index", {"a": 2, "b": 1})
    channel.qos.restore_visible(num=10, interval=1)
    assert len(told) == 1
    assert not valkey.client.exists("unacked", "unacked_index", "evil")
    connection.drain_events(timeout=5)
    assert [message.headers["task"] for message in heard] == [TASK]
    assert b"mallory" not in heard[0].body


def test_instants_that_are_none_do_not_hinder_whoever_looks_at_the_broker(valkey: Valkey) -> None:
    valkey.client.lpush("mail", json.dumps(forged({broker.SENT_AT: 1e300})))
    valkey.client.hset("unacked", mapping={"a": json.dumps([forged(), "", "mail"])})
    valkey.client.zadd("unacked_index", {"a": float("inf")})
    found = broker.read_broker(["mail"], now=timezone.now())
    assert found.is_reachable
    assert (found.queues[0].ready, found.queues[0].unacknowledged) == (1, 0)


def test_no_message_reaches_a_worker_past_its_queue() -> None:
    """A broadcast could end workers, change their limits or have them listen elsewhere."""
    assert app.conf.worker_enable_remote_control is False
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == app.conf.result_serializer == app.conf.event_serializer == "json"


# -- the users of the broker ------------------------------------------------------------------------------------------

ACL = Path(configured.BASE_DIR) / "docs" / "operations" / "redis-users.acl"
MAY_NOT: list[tuple[str, ...]] = [
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("MONITOR",),
    ("CONFIG", "GET", "*"),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("SHUTDOWN",),
    ("DEL", "mail"),
    ("SET", "mail", "x"),
    ("LPUSH", "evil", "x"),
    ("RENAME", "mail", "evil"),
    ("SET", "unacked", "x"),
    ("EVAL", "return redis.call('flushall')", "0"),
    ("FUNCTION", "LIST"),
    ("SUBSCRIBE", "/0.celery.pidbox"),
    ("PUBLISH", "/0.celery.pidbox", "x"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("MODULE", "LIST"),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A broker with the users that the documentation gives it."""
    file = tmp_path_factory.mktemp("acl") / "users.acl"
    file.write_text(ACL.read_text() + "user root on nopass ~* &* +@all\n")
    with running("--aclfile", str(file), as_user="root") as server:
        yield server


def logged_in(server: Valkey, name: str, password: str) -> str:
    server.client.acl_log_reset()
    return server.url.replace("://", f"://{name}:{password}@", 1)


def refused(server: Valkey) -> list[str]:
    """What the broker refused since somebody logged in."""
    return [f"{entry['username']} {entry['object']}" for entry in server.client.acl_log()]


def test_the_documented_user_can_do_what_workers_and_beat_need(guarded: Valkey, settings: Any) -> None:
    settings.CELERY_BROKER_URL = logged_in(guarded, "mindsettler", "CHANGE-THIS")
    options = {"visibility_timeout": -1}
    with Connection(settings.CELERY_BROKER_URL, transport_options=options) as connection:
        channel, heard = listen(connection)
        for settle in ("ack", "reject", "requeue", "ack"):
            canary.mail.apply_async(connection=connection)
            connection.drain_events(timeout=5)
            getattr(heard[-1], settle)()
        canary.mail.apply_async(connection=connection)
        while len(heard) < 6:
            connection.drain_events(timeout=5)
        channel.qos.restore_visible(num=10, interval=1)
    assert broker.trouble(within=1.0) is None
    assert broker.read_broker(wake_ups.QUEUES, now=timezone.now()).is_reachable
    assert refused(guarded) == []


def test_the_web_processes_user_looks_and_sends_nothing(guarded: Valkey, settings: Any) -> None:
    settings.CELERY_BROKER_URL = logged_in(guarded, "mindsettler-web", "CHANGE-THIS-TOO")
    found = broker.read_broker(wake_ups.QUEUES, now=timezone.now())
    assert found.is_reachable
    assert found.refusal == ""
    assert found.evicts is False
    assert refused(guarded) == []
    with broker.client() as client:
        for words in [*MAY_NOT, ("LPUSH", "mail", "x"), ("BRPOP", "mail", "1"), ("PUBLISH", "x", "x")]:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*words)


@pytest.mark.parametrize("words", MAY_NOT, ids=" ".join)
def test_the_workers_user_can_do_no_more(words: tuple[str, ...], guarded: Valkey, settings: Any) -> None:
    settings.CELERY_BROKER_URL = logged_in(guarded, "mindsettler", "CHANGE-THIS")
    with broker.client() as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*words)


def test_without_a_name_nobody_is_let_in(guarded: Valkey) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(unix_socket_path=guarded.url.removeprefix("redis+socket://"), retry=Retry(NoBackoff(), 0)).ping()
