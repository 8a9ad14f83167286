"""The first answer to each key, for a day. https://docs.stripe.com/api/idempotent_requests"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.fake_stripe.entities import DAY
from tests.support.fake_stripe.shelf import Refusal

Form = dict[str, str]
Said = tuple[int, bytes]  # status and body
_OTHER = "Keys for idempotent requests can only be used with the same parameters they were first used with."


@dataclass
class Remembered:
    """An ask, and what came of it: None while it is under way."""

    path: str
    form: Form
    at: float
    answer: Said | None = None


class Keys:
    """What was asked with each key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.known: dict[str, Remembered] = {}

    def once(self, key: str, path: str, form: Form, now: float, do: Callable[[], Said]) -> tuple[Said, bool]:
        """The answer, and whether it is an old one. What is refused before it is begun is forgotten; a 500 is not."""
        with self._lock:
            known = self.known.get(key)
            if known is None or known.at < now - DAY:
                known = self.known[key] = Remembered(path, form, now)
            elif (known.path, known.form) != (path, form):
                raise Refusal(400, _OTHER, kind="idempotency_error")
            elif known.answer is None:
                raise Refusal(409, "There is another request in progress.", code="idempotency_key_in_use")
            else:
                return known.answer, True
        status, body = do()
        with self._lock:
            if status == 400 and b'"parameter_' in body:
                self.known.pop(key, None)
            else:
                known.answer = status, body
        return (status, body), False
