"""A real SMTP server that keeps what it accepts, and can be told to refuse, to stall, or to hang up."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.server import free_port


@dataclass
class Sink:
    """`answer` decides what DATA is answered with; `connections` counts who dialled in."""

    accepted: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    connections: int = 0
    answer: Callable[[Envelope], str] = lambda _envelope: "250 accepted"
    refuse_recipient: str = ""
    hang_up_after_accepting: int = 0
    hang_up_at: str = ""  # MAIL, RCPT or DATA: the connection breaks there
    stalled: threading.Event = field(default_factory=threading.Event)  # while set, DATA is not answered
    in_hand: int = 0  # mails whose DATA has come and has not been answered
    port: int = 0
    takes_together: bool = True  # RFC 2920: it announces that it takes several commands at once, as most servers do
    _kept: list[tuple[asyncio.AbstractEventLoop, SMTP]] = field(default_factory=list)

    def close_idle(self) -> None:
        """As a server that is tired of waiting: every connection is closed, and the other side knows when this ends."""
        closed = [asyncio.run_coroutine_threadsafe(_close(server), loop) for loop, server in self._kept]
        for each in closed:
            each.result(timeout=5)
        self._kept.clear()

    def environment(self) -> dict[str, str]:
        """The variables of a process that is to send here."""
        given = {"EMAIL_PROVIDER": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port)}
        return given | {"EMAIL_SECURITY": "none"}

    def serve(self, settings: Any) -> None:
        """Let this process send here."""
        settings.EMAIL_BACKEND = "workers.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", self.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    def times_sent(self) -> Counter[str]:
        """How often each mail was accepted, by its Message-ID."""
        found = (re.search(rb"(?mi)^Message-ID:\s*(\S+)", content) for content in self.accepted)
        return Counter(match[1].decode() for match in found if match)

    async def handle_EHLO(  # aiosmtpd calls it by this name
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        self._kept.append((asyncio.get_running_loop(), server))
        session.host_name = hostname
        return ["250-PIPELINING", *responses] if self.takes_together else responses

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._perhaps_hang_up("MAIL", server)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._perhaps_hang_up("RCPT", server)
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.in_hand += 1
        while self.stalled.is_set():
            await asyncio.sleep(0.02)
        self.in_hand -= 1
        self._perhaps_hang_up("DATA", server)
        answer = self.answer(envelope)
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.accepted.append(envelope.content)
            self.recipients.append(envelope.rcpt_tos)
            if self.hang_up_after_accepting:
                self.hang_up_after_accepting -= 1
                assert isinstance(server.transport, asyncio.Transport)
                server.transport.abort()
        return answer

    def _perhaps_hang_up(self, command: str, server: SMTP) -> None:
        if self.hang_up_at == command:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()


async def _close(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.close()
    await asyncio.sleep(0)


@contextmanager
def listening() -> Iterator[Sink]:
    """A sink that accepts everything, until the block ends."""
    sink = Sink()
    controller = start(sink)
    try:
        yield sink
    finally:
        sink.stalled.clear()
        controller.stop()


def start(sink: Sink) -> Controller:
    """Listen on a free loopback port; the caller stops the controller."""
    sink.port = free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    return controller
