"""The same POST with a key from a crowd at once, its workers killed meanwhile: one effect, one answer."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from django.db import connection, transaction

from backend.bookings.models import KeptAnswer
from backend.people.models import Enquiry
from tests.support import api, races
from tests.support.server import web_server

pytestmark = [*races.POSTGRES_ONLY]

WITHIN = 60  # seconds
IN_FLIGHT = (409, 503)


@pytest.fixture
def server(django_db_setup: None) -> Iterator[str]:
    with web_server(DEBUG="1", KEY_LEASE="1s", DATABASE_LOCK_TIMEOUT="60s", DATABASE_STATEMENT_TIMEOUT="60s") as url:
        yield url


def test_a_crowd_with_one_key_whose_workers_are_killed(server: str, record_property: Callable[..., None]) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(races.CROWD) as crowd:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Enquiry._meta.db_table} IN EXCLUSIVE MODE")
            answers = [crowd.submit(until_answered, server + api.SEND_EMAIL, key) for _ in range(races.CROWD)]
            wait_until(somebody_waits)  # the key is reserved, and its request is in its transaction
            kill_workers(server)
        told = [answer.result() for answer in answers]
    assert set(told) == {(202, told[0][1])}
    assert Enquiry.objects.count() == 1
    assert KeptAnswer.objects.get().fence > 1  # it was taken over
    record_property("figure: effects of one key under kills", f"{Enquiry.objects.count()} of 1")


def until_answered(address: str, key: str) -> tuple[int, str]:
    """As a program of good manners: again while nobody answers, or the first try is still on its way."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        try:
            answer = requests.post(address, json={"text": "Hello"}, headers={"Idempotency-Key": key}, timeout=WITHIN)
        except requests.ConnectionError:  # a crowd that asks without a pause keeps the server from starting
            time.sleep(0.1)
            continue
        if answer.status_code not in IN_FLIGHT:
            return answer.status_code, answer.text
        time.sleep(0.1)
    raise AssertionError("nobody answered")


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [Enquiry._meta.db_table]
        )
        return bool(cursor.fetchone()[0])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_workers(server: str) -> None:
    """Of this server alone: those that were begun with its port, by a process that was too."""
    port = f"PORT={server.rpartition(':')[2]}".encode()
    ours = {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if port in words_of(folder / "environ")}
    workers = [pid for pid in ours if parent_of(pid) in ours]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def words_of(file: Path) -> list[bytes]:
    try:
        return file.read_bytes().split(b"\0")
    except OSError:  # somebody else's, or gone
        return []


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
