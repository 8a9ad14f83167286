"""What a fake answers when it does not do what it was asked."""

from __future__ import annotations

from typing import Any


class ErrorAnswer(Exception):
    """An answer that is not 2xx; each gateway says in its own shape why."""

    status: int
    body: dict[str, Any]


class Senseless(ErrorAnswer):
    """The control door was told what makes no sense."""

    def __init__(self, why: object) -> None:
        super().__init__(f"control: {why}")
        self.status, self.body = 400, {"error": str(self)}
