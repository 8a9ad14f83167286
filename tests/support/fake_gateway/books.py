"""What the shared parts of a fake ask of what its gateway knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Webhook(Protocol):
    """One event, and how its delivery goes. `next_at` is Unix seconds; None: delivered, given up, or kept silent."""

    event_id: str
    body: bytes
    made_at: float
    next_at: float | None
    tries: int

    @property
    def headers(self) -> Mapping[str, str]: ...


class Outbox(Protocol):
    """Every event so far; each is signed with `secret`. `is_silent`: what happens now is told nobody."""

    secret: str
    is_silent: bool

    @property
    def webhooks(self) -> Sequence[Webhook]: ...


class Books(Protocol):
    """What the gateway knows. `ahead` is in seconds; `doubles` tells of each page that was made while another one of
    the same description took money."""

    lock: AbstractContextManager[bool]
    ahead: float
    doubles: list[str]

    @property
    def outbox(self) -> Outbox: ...

    def now(self) -> float: ...

    def advance(self) -> None:
        """What is due happens."""

    def finish_refunds(self) -> None:
        """What pends is done, or fails."""

    def everything(self) -> dict[str, Any]:
        """`links`, `payments` and `refunds` as the API shows them."""
