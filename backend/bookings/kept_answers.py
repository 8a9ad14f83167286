"""A key is reserved, held under a lease, and answered in the transaction of what was done; or it is free again.

Who dies between leaves a reservation: after its lease the next request takes it over, and the fence keeps a holder that
was only slow from committing. So the transaction of the intent decides, whatever happens around it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from backend.bookings import policy
from backend.bookings.models import KeptAnswer
from backend.bookings.retention import RULES, Kind
from backend.core import compiled_writes, disclosures
from backend.core.encryption import EncryptedTextField
from backend.core.errors import Code, Refused

ASK_AGAIN = timedelta(seconds=1)  # most requests are done by then


@dataclass(frozen=True)
class Held:
    """A reservation in somebody's hands."""

    pk: int
    digest: str
    fence: int


class Lost(Exception):
    """The lease ended, and somebody else holds the key: what was done must not be committed."""


def reserve(digest: str, fingerprint: str, *, now: datetime) -> Held | str:
    """The key, or the answer that was kept for it. Refuses: key_reused, key_in_use. Commits by itself."""
    row = KeptAnswer(
        digest=digest,
        fingerprint=fingerprint,
        fence=1,
        reserved_at=now,
        lease_ends_at=now + policy.KEY_LEASE,
        answered_at=None,
    )
    if compiled_writes.insert([row], unless_exists="digest"):
        return Held(row.pk, digest, row.fence)
    found = KeptAnswer.objects.filter(digest=digest).first()
    if found is None:  # freed a moment ago
        raise Refused(Code.KEY_IN_USE, retry_after=ASK_AGAIN)
    is_over = found.reserved_at <= now - RULES[Kind.REPEATS].kept
    if not is_over and found.fingerprint != fingerprint:
        raise Refused(Code.KEY_REUSED)
    if not is_over and found.answered_at is not None:
        with disclosures.unseen():  # whoever is shown it again is recorded by what was shown
            return found.answer
    return _take_over(found, fingerprint, is_over=is_over, now=now)


def _take_over(found: KeptAnswer, fingerprint: str, *, is_over: bool, now: datetime) -> Held:
    """One conditional UPDATE: of many who see the lease end one gets it. Waits for a holder that is just committing."""
    as_seen = KeptAnswer.objects.filter(pk=found.pk, fence=found.fence, answered_at=found.answered_at)
    free = as_seen if is_over else as_seen.filter(lease_ends_at__lte=now)
    begun_at = now if is_over else found.reserved_at
    emptied = {"answered_at": None, "answer": "", "about": "", "fingerprint": fingerprint, "reserved_at": begun_at}
    if not free.update(fence=F("fence") + 1, lease_ends_at=now + policy.KEY_LEASE, **emptied):
        raise Refused(Code.KEY_IN_USE, retry_after=ASK_AGAIN)
    return Held(found.pk, found.digest, found.fence + 1)


def keep(held: Held, answer: str, about: Collection[str], *, now: datetime) -> None:
    """In the transaction of what was done. Raises Lost."""
    column = KeptAnswer._meta.get_field("answer")
    assert isinstance(column, EncryptedTextField)
    sealed = column.sealed(KeptAnswer(digest=held.digest), answer)
    if not _of(held).update(answer=sealed, about=" ".join(sorted(about)), answered_at=now):
        raise Lost


def release(held: Held) -> None:
    """Nothing was done: the key is free again."""
    _of(held).delete()


def client_name(pk: int) -> str:
    """What a client is called in `about`; no part of another's."""
    return f"client-{pk:010}"


def forget(names: Collection[str]) -> None:
    """Answers that speak of these bookings or clients: their person is erased. The table holds a day, read whole."""
    about = Q(pk=None)
    for one in names:
        about |= Q(about__contains=one)
    KeptAnswer.objects.filter(about).delete()


def _of(held: Held) -> QuerySet[KeptAnswer]:
    return KeptAnswer.objects.filter(pk=held.pk, fence=held.fence, answered_at=None)
