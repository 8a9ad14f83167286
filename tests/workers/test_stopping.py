"""Stopping between two effects: seen by every process of the pool, and safe from those that are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.support.gateway import until
from workers.stopping import Stopping

pytestmark = pytest.mark.postgres_only


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The TERMs that this process heard at the usual place."""
    numbers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def look_for_ever(stopping: Stopping, ready) -> None:
    ready.set()
    while True:
        stopping.is_set()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # as the pool forks; Python 3.12 warns of our threads
def test_a_process_killed_while_it_looks_keeps_nobody_else_from_looking_or_telling() -> None:
    fork = multiprocessing.get_context("fork")
    stopping = Stopping()
    for _ in range(8):  # with a lock inside, each kill finds it held every second or third time
        ready = fork.Event()
        child = fork.Process(target=look_for_ever, args=(stopping, ready), daemon=True)
        child.start()
        assert ready.wait(20)
        child.kill()
        child.join()
    teller = threading.Thread(target=stopping.set, daemon=True)
    teller.start()
    until(lambda: not teller.is_alive())
    assert stopping.is_set()


def test_a_term_in_mid_work_is_noticed_at_once_and_obeyed_at_the_end(heard: list[int]) -> None:
    stopping = Stopping()
    with stopping.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.is_set()
        assert heard == []
    assert heard == [signal.SIGTERM]
    assert not stopping.is_set()  # its siblings go on, and so does whoever takes its place


def test_a_term_in_mid_work_of_a_worker_that_stops_is_left_to_the_worker(heard: list[int]) -> None:
    stopping = Stopping()
    with stopping.deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        stopping.set()
    assert heard == []
    assert stopping.is_set()


def test_a_term_after_the_work_is_heard_as_usual(heard: list[int]) -> None:
    with Stopping().deferred():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM]
