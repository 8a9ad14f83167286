"""Sends one HTTP request, which ends in time and takes an answer of bounded size, whatever the server does."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import requests

from backend.core.outgoing.connections import Adapter
from backend.core.outgoing.watch import Watch

TIMEOUT_SECONDS = (2.0, 3.0)  # connect to an address, then each read; all of it together has `seconds`
LONGEST_ANSWER = 1024 * 1024  # bytes: a page of a hundred payments has some 150 thousand
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Received:
    """What a server sent."""

    status: int
    body: bytes


def send(request: requests.Request, *, seconds: float) -> Received:
    """Neither repeated nor led elsewhere; TLS is verified. Raises requests.RequestException."""
    connect, read = (min(seconds, each) for each in TIMEOUT_SECONDS)
    session = _session()
    with (
        Watch(seconds),
        session.send(
            session.prepare_request(request), stream=True, timeout=(connect, read), allow_redirects=False
        ) as answer,
    ):
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > LONGEST_ANSWER:
                raise requests.exceptions.ContentDecodingError("an answer without end")
    return Received(answer.status_code, bytes(body))


class _Kept(threading.local):
    """Of each thread: its session, so one kept-alive connection to each service, for sessions are not thread-safe."""

    session: requests.Session | None = None


_kept = _Kept()


def _session() -> requests.Session:
    if _kept.session is None:
        session = requests.Session()
        session.trust_env = False  # neither a proxy nor a .netrc of this machine may see or change an ask
        for scheme in ("http://", "https://"):
            session.mount(scheme, Adapter())
        _kept.session = session
    return _kept.session
