"""Mailboxes that bounced for good or reported us as spam: what is known of them, until somebody corrects it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import ClosedMailbox


def close(mailbox: str, why: str, *, now: datetime) -> None:
    """From now on; again, with the last reason."""
    ClosedMailbox.objects.update_or_create(mailbox=mailbox, defaults={"why": why, "since": now})


def open_again(addresses: Collection[str]) -> bool:
    """Somebody knows better, or the person is erased. False: they were open."""
    return ClosedMailbox.objects.filter(mailbox__in=set(map(mailbox_of, addresses))).delete()[0] > 0


def closed(addresses: Collection[str]) -> dict[str, datetime]:
    """Of these addresses' mailboxes those that are closed, and since when. One query."""
    boxes = set(map(mailbox_of, addresses)) - {""}
    return dict(ClosedMailbox.objects.filter(mailbox__in=boxes).values_list("mailbox", "since")) if boxes else {}


def concerning(address: str, *, proved_at: datetime | None) -> ClosedMailbox | None:
    """Why a request whose address was proved then is told by telephone; None: mail reaches it, as far as we know."""
    row = ClosedMailbox.objects.filter(mailbox=mailbox_of(address)).first() if address else None
    return row if row is not None and concerns(row.since, proved_at=proved_at) else None


def concerns(since: datetime, *, proved_at: datetime | None) -> bool:
    """Who proved the address after it was closed reads it."""
    return proved_at is None or proved_at <= since
