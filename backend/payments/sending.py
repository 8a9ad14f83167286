"""Sends one HTTP request, which ends in time and takes an answer of bounded size, whatever the server does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

TIMEOUT_SECONDS = (2.0, 3.0)  # connect, then each read; a server that drips bytes keeps every read in time
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
        _Watch(seconds),
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


class _Watch:
    """Hangs up on a server that still sends after `seconds`. Half a JSON object is no answer."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        _kept.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None  # from now on it may carry another ask
        _kept.watch = None

    def note(self, connected: socket.socket) -> None:
        """This is where the answer comes from."""
        with self._lock:
            self._socket = connected
            self._hang_up()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            self._hang_up()

    def _hang_up(self) -> None:
        if self.is_over and self._socket is not None:
            with suppress(OSError):
                # the plain one: that of TLS would take the library's state from under the thread that reads
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Kept(threading.local):
    """Of each thread: its session, so one kept-alive connection to each gateway, for sessions are not thread-safe."""

    session: requests.Session | None = None
    watch: _Watch | None = None


_kept = _Kept()


def _session() -> requests.Session:
    if _kept.session is None:
        session = requests.Session()
        session.trust_env = False  # neither a proxy nor a .netrc of this machine may see or change an ask
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter())
        _kept.session = session
    return _kept.session


class _Plain(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library
        _note(self.sock)
        return super().getresponse()


class _Tls(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library
        _note(self.sock)
        return super().getresponse()


def _note(connected: socket.socket | None) -> None:
    if _kept.watch is not None and connected is not None:
        _kept.watch.note(connected)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """The library's own, whose connections say which socket they read. It repeats nothing."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
