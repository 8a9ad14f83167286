"""One request, over TLS as every real gateway is asked: what is refused, and that it ends in time."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from backend.core.outgoing import connections, sending
from backend.core.outgoing.failures import never_connected
from tests.support import certificates
from tests.support.relay import Relay, Trouble
from tests.support.server import free_port

pytestmark = pytest.mark.sqlite_only
NAME = "gateway.test"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of NAME, signed by itself, with its key."""
    return certificates.made_for(NAME, tmp_path_factory.mktemp("tls") / "pem")


@pytest.fixture
def relay(certificate: Path) -> Iterator[Relay]:
    """It speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Relay(f"http://127.0.0.1:{free_port()}", tls=context)
    yield made
    made.stop()


@pytest.fixture
def url(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> str:
    """The relay by its name, whose first address refuses."""
    monkeypatch.setattr(connections, "addresses", lambda host, port: ["127.0.0.9", "127.0.0.1"])
    return f"https://{NAME}:{relay.server_port}"


def test_a_certificate_that_nobody_vouches_for_is_refused(relay: Relay, url: str) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        sending.send(requests.Request("GET", url), seconds=2)
    assert relay.sent == []


@pytest.mark.parametrize("trouble", [Trouble.DRIP_HEAD, Trouble.DRIP_BODY])
def test_a_server_that_drips_over_tls_is_hung_up_on(
    relay: Relay, url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setattr(sending._session(), "verify", str(certificate))
    with relay.making(Trouble.ERROR):  # by the second address, and by the name that the certificate has
        assert sending.send(requests.Request("GET", url), seconds=2).status == 500
    began = time.monotonic()
    with relay.making(trouble), pytest.raises(requests.RequestException):
        sending.send(requests.Request("GET", url), seconds=0.3)
    assert time.monotonic() - began < 0.8


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a server that takes no connection and refuses none: its queue is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"


def test_many_addresses_that_do_not_answer_share_the_time(black_hole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_SECONDS", (0.1, 0.1))
    monkeypatch.setattr(connections, "addresses", lambda host, port: [host] * 12)
    began = time.monotonic()
    with pytest.raises(requests.exceptions.ConnectTimeout) as error:
        sending.send(requests.Request("GET", black_hole), seconds=0.3)
    assert time.monotonic() - began < 1.0
    assert never_connected(error.value)


def test_a_name_that_nobody_knows_was_never_reached() -> None:
    with pytest.raises(requests.exceptions.ConnectionError) as error:
        sending.send(requests.Request("GET", "http://nowhere.invalid"), seconds=2)
    assert never_connected(error.value)
