"""A real SMTP server that keeps what it accepts, and can be told to refuse, to stall, or to hang up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.server import free_port


@dataclass
class Sink:
    """`answer` decides what DATA is answered with; `connections` counts who dialled in."""

    accepted: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    connections: int = 0
    answer: Callable[[Envelope], str] = lambda _envelope: "250 accepted"
    refuse_recipient: str = ""
    hang_up_after_accepting: int = 0
    port: int = 0

    async def handle_EHLO(  # aiosmtpd calls it by this name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
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


def start(sink: Sink) -> Controller:
    """Listen on a free loopback port; the caller stops the controller."""
    sink.port = free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    return controller
