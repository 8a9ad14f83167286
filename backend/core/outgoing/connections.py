"""The connections of our asks: as the library's, under the watch of the ask that they serve."""

from __future__ import annotations

import socket
from collections.abc import Callable

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.response import HTTPResponse

from backend.core.outgoing import watch


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _reach(self, super()._new_conn)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library
        _note(self.sock)
        return super().getresponse()


class _Tls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _reach(self, super()._new_conn)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in the library
        _note(self.sock)
        return super().getresponse()


def _reach(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    """Try one address of the host after the other while there is time; the library would give each all of it."""
    host, patience, watching = connection.host, connection.timeout, watch.current()
    if watching is None or not isinstance(patience, int | float):
        return connect()
    failure: Exception = ConnectTimeoutError(connection, "no time left to connect")
    try:
        for address in addresses(host, connection.port):
            if watching.left() <= 0:
                break
            connection.host, connection.timeout = address, min(patience, watching.left())
            try:
                return connect()
            except (ConnectTimeoutError, NewConnectionError) as error:
                failure = error
    finally:
        connection.host, connection.timeout = host, patience  # TLS asks for the name
    raise failure


def addresses(host: str, port: int) -> list[str]:
    """In the order in which the resolver wants them tried; the name itself if it does not know it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return [host]
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _note(connected: socket.socket | None) -> None:
    watching = watch.current()
    if watching is not None and connected is not None:
        watching.note(connected)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class Adapter(HTTPAdapter):
    """The library's own, with these connections. It repeats nothing."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
