"""Asking over HTTP: how long it may take, and what is said of an ask that brought no answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from backend.core.errors import Transient
from backend.core.outgoing import asking, sending, watch
from backend.core.outgoing.asking import Line
from tests.support.relay import Relay, Trouble
from tests.support.server import free_port


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Nobody is behind it."""
    made = Relay(f"http://127.0.0.1:{free_port()}")
    yield made
    made.stop()


def test_a_visitor_waits_five_seconds_at_most() -> None:
    assert sum(sending.TIMEOUT_SECONDS) <= asking.TOTAL_SECONDS <= 5


def test_the_asks_of_one_call_share_its_time(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TOTAL_SECONDS", 0.2)
    call = Line("any", relay.url).call()
    with relay.making(Trouble.HANG):
        for _ in range(2):
            with pytest.raises(Transient):
                call.ask("GET", "orders")
    assert len(relay.sent) == 1  # the second was out of time


def test_what_never_left_is_said_to_be_so_unless_something_left_before(relay: Relay) -> None:
    nowhere = Line("any", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Transient) as refused:
        nowhere.call().ask("POST", "orders")
    assert refused.value.surely_not_sent
    for has_changed_something in (False, True):
        call = Line("any", relay.url).call()
        call._has_changed_something = has_changed_something
        with relay.making(Trouble.BUSY), pytest.raises(Transient) as busy:
            call.ask("POST", "orders")
        assert busy.value.surely_not_sent is not has_changed_something


@pytest.mark.parametrize("trouble", [Trouble.REDIRECT, Trouble.ENDLESS])
def test_one_ask_is_one_request_and_its_answer_has_an_end(relay: Relay, trouble: Trouble) -> None:
    with relay.making(trouble), pytest.raises(Transient):
        Line("any", relay.url).call().ask("GET", "orders")
    assert len(relay.sent) == 1


def test_a_watch_that_is_over_late_spares_the_next_ask_of_its_connection() -> None:
    here, there = socket.socketpair()
    with here, there:
        with watch.Watch(60) as watching:
            watching.note(here)
        watching.end()  # its timer had run out just when the answer was complete
        there.sendall(b"still open")
        assert here.recv(20) == b"still open"


def test_a_connection_is_kept_and_the_watch_of_one_ask_spares_the_next(relay: Relay) -> None:
    line = Line("any", relay.url)
    for _ in range(3):
        with relay.making(Trouble.PROXY_PAGE), pytest.raises(Transient, match="HTTP 200, not JSON"):
            line.call().ask("GET", "orders")
    assert watch.current() is None
    assert len({sent.port for sent in relay.sent}) == 1


def test_neither_a_proxy_nor_a_netrc_of_this_machine_has_a_say(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    with relay.making(Trouble.ERROR), pytest.raises(Transient, match="HTTP 500"):
        Line("any", relay.url).call().ask("GET", "orders")
