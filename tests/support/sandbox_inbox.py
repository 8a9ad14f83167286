"""What the sandbox gateway reported to a receiver, verified and read by its adapter."""

from __future__ import annotations

from queue import Empty

from backend.payments.gateway import (
    Event,
)
from backend.payments.sandbox.adapter import SandboxGateway
from tests.support.gateway import Receiver, until


class Inbox:
    """Everything the receiver got, verified and read by the adapter, in order of arrival."""

    def __init__(self, receiver: Receiver, reader: SandboxGateway) -> None:
        self.receiver = receiver
        self.reader = reader
        self.events: list[Event] = []

    def about(self, reference: str) -> list[Event]:
        while True:
            try:
                path, body, headers = self.receiver.received.get_nowait()
            except Empty:
                return [event for event in self.events if reference_of(event) == reference]
            assert path == "/api/hooks/payments/sandbox/"
            self.events.append(self.reader.read_event(body, headers))

    def next_about(self, reference: str, count: int = 1) -> list[Event]:
        until(lambda: len(self.about(reference)) >= count)
        return self.about(reference)


def reference_of(event: Event) -> str:
    subject = event.report or event.refund
    assert subject is not None
    return subject.reference
