"""What granian calls: reads the whole body on the event loop, and only then lets Django answer in one of the threads.

A thread reads no byte from a client and writes none, so that no client, however slow, holds one: bodies wait here, and
answers are handed over whole. docs/decisions/026 says what else was measured.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.conf import settings
from granian._granian import RSGIHTTPProtocol as HTTPProtocol  # `granian.rsgi` does not export them to a type checker
from granian._granian import RSGIProtocolClosed, RSGIProtocolError
from granian.rsgi import Scope

from backend.api import bounds
from config.web import limits, sockets
from config.web.environ import environ_of
from config.wsgi import application as django

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)


class Application:
    """The RSGI application: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md."""

    def __init__(self) -> None:
        # a thread more than there are database connections would wait for one
        self.threads = ThreadPoolExecutor(settings.DATABASE_POOL, thread_name_prefix="request")

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        sockets.end_unread_answers(limits.ANSWER_WITHIN_MS)

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        environ = environ_of(scope)
        try:
            bounds.give_body(environ, await read_body(environ, proto))
        except TimeoutError:
            bounds.refuse(environ, 408)
        except (RSGIProtocolClosed, RSGIProtocolError):
            proto.response_empty(400, [])  # it left before its request was whole
            return
        await asyncio.get_running_loop().run_in_executor(self.threads, answer, environ, proto)


async def read_body(environ: WSGIEnvironment, proto: HTTPProtocol) -> bytes:
    """The announced body. One that is not announced, or too long, stays unread: then the server closes the connection.

    Raises TimeoutError for one that is too slow.
    """
    if not 0 < bounds.body_length(environ) <= settings.MAX_BODY_BYTES:
        return b""
    async with asyncio.timeout(limits.BODY_WITHIN):
        return await proto()


def answer(environ: WSGIEnvironment, proto: HTTPProtocol) -> None:
    """Django's answer, whole: what breaks off while it is made is a 500, not half a file that looks complete."""
    head: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        head.append((int(status[:3]), headers))

    try:
        data = joined(django(environ, start_response))
    except Exception:
        log.exception("an answer broke off")
        proto.response_empty(500, [])
        return
    proto.response_bytes(*head[-1], data)


def joined(parts: Iterable[bytes]) -> bytes:
    """All parts; closed afterwards, as PEP 3333 asks."""
    try:
        return b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()


application = Application()
