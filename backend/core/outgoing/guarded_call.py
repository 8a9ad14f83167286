"""A POST to a server that others named: to the very machine that was judged, within five seconds, nothing followed.

No proxy of the environment, no redirect and no cookie takes part. The name is resolved once: what is judged is what is
connected to, so that a DNS that answers differently a moment later changes nothing (DNS rebinding), while certificate
and SNI are those of the name.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from backend.core.errors import Transient, required
from backend.core.outgoing import called_address, watch
from backend.core.outgoing.called_address import CalledAddress
from backend.core.outgoing.watch import Watch

WITHIN = 5.0  # seconds, for all of it
ANSWER_MOST = 4096  # bytes of an answer that are read at all
_LEAST = 0.1  # seconds that the last machine of several gets


@dataclass(frozen=True)
class Answer:
    """What the server said. Its words are for who needs them, and are kept nowhere."""

    status: int
    body: bytes


def post(address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it once. Raises AddressRefused, and Transient for no answer; whether it was taken then nobody knows."""
    with Watch(WITHIN) as watching:
        called = called_address.read(address)
        connection = _connected(called, called_address.machines_of(called), watching)
        try:
            return _exchange(connection, called, body, headers)
        except (HTTPError, HTTPException, OSError) as error:
            raise Transient("no answer in time" if watching.left() <= 0 else "no answer") from error
        finally:
            connection.close()


def _connected(called: CalledAddress, machines: list[str], watching: Watch) -> HTTPConnection:
    """To the first machine that takes us. Raises Transient, as not a byte of the request has left."""
    trouble: Exception = TimeoutError()
    for number in machines:
        connection = _connection(number, called, max(_LEAST, watching.left()))
        try:
            connection.connect()
        except (HTTPError, OSError) as error:
            connection.close()
            trouble = error
            continue
        watching.note(required(connection.sock, "sock", called.host))
        return connection
    raise Transient(f"not connected: {type(trouble).__name__}", surely_not_sent=True) from trouble


def _connection(number: str, called: CalledAddress, seconds: float) -> HTTPConnection:
    """Not yet open. It shows and checks the name whose number this is."""
    if called.scheme == "http":
        return HTTPConnection(number, called.port, timeout=seconds)
    name = called.host
    return _Tls(
        number, called.port, timeout=seconds, server_hostname=name, assert_hostname=name, ca_certs=certifi.where()
    )


class _Tls(HTTPSConnection):
    """Its handshake, too, has what is left of the time, and not all of it anew."""

    def _new_conn(self) -> socket.socket:
        made, watching = super()._new_conn(), watch.current()
        if watching is not None:
            made.settimeout(max(_LEAST, watching.left()))
        return made


def _exchange(connection: HTTPConnection, called: CalledAddress, body: bytes, headers: Mapping[str, str]) -> Answer:
    named = called.host if called.port in (80, 443) else f"{called.host}:{called.port}"
    connection.request("POST", called.target, body, {**headers, "Host": named}, preload_content=False)
    answer = connection.getresponse()
    said = b""
    with suppress(HTTPError, HTTPException, OSError):  # the status has come, and that is what counts
        said = answer.read(ANSWER_MOST, decode_content=False)
    return Answer(answer.status, said)
