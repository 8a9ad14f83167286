"""What Stripe answered: an object, a refusal of the documented shape, or what Stripe would never say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from backend.core.errors import AccountTrouble, Permanent, Transient, Unreadable
from backend.core.outgoing.asking import Answer
from backend.core.outgoing.fields import Fields, Malformed

_WORD = re.compile(r"[a-z_]{1,60}")  # Stripe's codes; its messages are sentences that quote what was asked


@dataclass(frozen=True)
class Problem:
    """A refusal in Stripe's words. https://docs.stripe.com/api/errors"""

    status: int
    kind: str
    code: str
    parameter: str

    @property
    def is_other_content(self) -> bool:
        """Its idempotency key came before, with another body."""
        return self.kind == "idempotency_error"

    @property
    def is_unknown(self) -> bool:
        return self.status == HTTPStatus.NOT_FOUND

    def __str__(self) -> str:
        return f"stripe: HTTP {self.status} {self.code or self.kind}".rstrip()


def read_answer(answer: Answer) -> Fields | Problem:
    """Raises `Transient` for a refusal that is not Stripe's, and for "another ask with this key is under way" (409);
    `AccountTrouble` for a restricted key that may not do it (403)."""
    if answer.is_ok:
        return answer.fields
    with readable():
        error = answer.fields.part("error")
        problem = Problem(answer.status, *(_word(error, name) for name in ("type", "code", "param")))
    if problem.status == HTTPStatus.FORBIDDEN:
        raise AccountTrouble(str(problem))  # an earlier ask of the same call may have been taken
    if problem.status == HTTPStatus.CONFLICT:
        raise Transient(str(problem))
    return problem


def require(found: Fields | Problem) -> Fields:
    """The object. Raises `Permanent` for a refusal."""
    if isinstance(found, Problem):
        raise Permanent(str(found), surely_not_sent=True)
    return found


@contextmanager
def readable() -> Iterator[None]:
    """What cannot be read in the block may be readable the next time."""
    try:
        yield
    except Malformed as error:
        raise Unreadable(f"stripe: unreadable answer, {error}") from error


def _word(error: Fields, name: str) -> str:
    value = error.data.get(name)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
