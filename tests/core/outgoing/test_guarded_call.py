"""A call to a server of others: by its name and certificate, followed nowhere, over in time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from backend.core.errors import Transient
from backend.core.outgoing import guarded_call
from tests.support import certificates
from tests.support.relay import Relay, Trouble
from tests.support.server import free_port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this machine's name."""
    return certificates.made_for("localhost", tmp_path_factory.mktemp("tls") / "pem")


@pytest.fixture(autouse=True)
def _reached(monkeypatch: pytest.MonkeyPatch, certificate: Path, settings: Any) -> None:
    settings.CALL_LOOPBACK = True
    monkeypatch.setattr(certifi, "where", lambda: str(certificate))
    monkeypatch.setattr(guarded_call, "WITHIN", 0.4)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # which nobody asks


@pytest.fixture
def receiver(certificate: Path) -> Iterator[Relay]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Relay(f"http://127.0.0.1:{free_port()}", tls=context)
    yield made
    made.stop()


def ask(receiver: Relay, trouble: Trouble) -> guarded_call.Answer:
    with receiver.making(trouble):
        return guarded_call.post(f"https://localhost:{receiver.server_port}/in?x=1", b"{}", {"X-A": "b"})


def test_the_server_is_asked_by_its_name_and_its_answer_read(receiver: Relay) -> None:
    answer = ask(receiver, Trouble.ERROR)
    assert (answer.status, b"SERVER_ERROR" in answer.body) == (500, True)
    [sent] = receiver.sent
    assert (sent.method, sent.path, sent.body, sent.headers["X-A"]) == ("POST", "/in?x=1", b"{}", "b")
    assert sent.headers["Host"] == f"localhost:{receiver.server_port}"


def test_it_is_followed_nowhere(receiver: Relay) -> None:
    assert ask(receiver, Trouble.REDIRECT).status == 302
    assert len(receiver.sent) == 1


def test_an_answer_without_end_is_not_read(receiver: Relay) -> None:
    assert len(ask(receiver, Trouble.ENDLESS).body) == guarded_call.ANSWER_MOST


@pytest.mark.parametrize("trouble", [Trouble.HANG, Trouble.DRIP_HEAD, Trouble.DRIP_BODY])
def test_a_server_that_drips_is_hung_up_on(receiver: Relay, trouble: Trouble) -> None:
    """Its status counts, if that has come."""
    began = time.monotonic()
    if trouble is Trouble.DRIP_BODY:
        assert ask(receiver, trouble).status == 200
    else:
        with pytest.raises(Transient, match="no answer in time") as failed:
            ask(receiver, trouble)
        assert not failed.value.surely_not_sent
    assert time.monotonic() - began < 5


def test_another_s_certificate_is_refused_before_anything_is_sent(
    receiver: Relay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = certificates.made_for("localhost", tmp_path / "other")
    monkeypatch.setattr(certifi, "where", lambda: str(other))
    with pytest.raises(Transient, match="not connected") as failed:
        ask(receiver, Trouble.ERROR)
    assert failed.value.surely_not_sent
    assert receiver.sent == []
