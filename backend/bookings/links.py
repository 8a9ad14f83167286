"""Mailed links: a token is derived, never stored.

token = HMAC-SHA256(newest key of TOKEN_KEY, purpose || uuid of the outbox row), base64url; of the times that one mail
offers, each has its number after the purpose. The mail worker derives it again, so a retry sends the same bytes; the
database keeps only its SHA-256 and the key's id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import cache, partial
from itertools import chain
from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.machine import Reason, State
from backend.bookings.models import Alternative, Booking, LedgerEntry, Link, Purpose
from backend.core import batched_writes, compiled_writes, keyring
from backend.core.compiled_changes import GivenIds, compiled_update
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Permanent, Refused
from backend.core.statements import Statement
from backend.outbox.models import Message, MessageState, Part
from backend.rooms import adapters

RING = keyring.TOKENS
ACTING = (Purpose.CANCEL, Purpose.CANCEL_LATE, Purpose.RESCHEDULE, Purpose.ROOM)  # on a booking that is open
READING = (Purpose.BOOKING, Purpose.PAY)  # show a booking while it is open, and for a while what became of it
NO_BOOKING = 0  # the id of none
Tokens: TypeAlias = Callable[[], dict[str, str]]  # of one message, derived again by each call


class KeyGone(Permanent):
    """A token cannot be derived again: what was mailed goes on working, what was not can no longer be mailed."""


def pay_page(reference: str) -> str:
    """The address of our own page that leads to a gateway's, by the reference of an attempt."""
    return f"{settings.PUBLIC_URL}/go/pay/?payment={reference}"


def room_page(token: str) -> str:
    """The address of our own page that leads into the room of a session."""
    return f"{settings.PUBLIC_URL}/go/room/?token={token}"


def join_address(booking: Booking, token: str) -> str:
    """Where the holder of this token joins an online session: the page of its room, or else the psychologist's link.

    Empty for one in person, and where there is a room and no token.
    """
    if adapters.are_shared() or not booking.meeting_link:
        return booking.meeting_link
    return room_page(token) if token else ""


def issue(booking: Booking, *purposes: Purpose, message_uuid: UUID, now: datetime) -> None:
    """Store the digests of the tokens that this message will carry; of alternatives, one for each time offered.

    One statement for all: how many links somebody gets must not be told by how long the answer takes.
    """
    made = [link for purpose in purposes for link in _links(booking, purpose, message_uuid, now=now)]
    batched_writes.write(_insert, made)


def _insert(made: list[list[Link]]) -> list[Statement[bool]]:
    rows = list(chain.from_iterable(made))
    return [compiled_writes.inserting(rows)] if rows else []


def issue_in_vain(message_uuid: UUID, *, now: datetime) -> None:
    """The same work where there is no booking to link to, undone: see docs/decisions/006."""
    savepoint = transaction.savepoint()
    compiled_writes.insert([_link(NO_BOOKING, Purpose.BOOKING, message_uuid, None, expires_at=now, now=now)])
    transaction.savepoint_rollback(savepoint)


def _links(booking: Booking, purpose: Purpose, message_uuid: UUID, *, now: datetime) -> Iterator[Link]:
    if purpose != Purpose.ALTERNATIVE:
        yield _link(booking.pk, purpose, message_uuid, None, expires_at=_expiry(booking, purpose, now=now), now=now)
        return
    for one in Alternative.objects.filter(booking=booking):
        expires_at = min(now + policy.ALTERNATIVE_LINK_LIFETIME, one.slot_start)
        yield _link(booking.pk, purpose, message_uuid, one, expires_at=expires_at, now=now)


def _link(
    booking_id: int,
    purpose: Purpose,
    message_uuid: UUID,
    alternative: Alternative | None,
    *,
    expires_at: datetime | None,
    now: datetime,
) -> Link:
    key = keyring.ring(RING).newest
    return compiled_writes.new(
        Link,
        booking_id=booking_id,
        purpose=purpose,
        alternative_id=None if alternative is None else alternative.pk,
        message_uuid=message_uuid,
        digest=digest(key.token(_name(purpose, alternative), message_uuid)),
        key_id=key.id,
        created_at=now,
        expires_at=expires_at,
    )


def _expiry(booking: Booking, purpose: Purpose, *, now: datetime) -> datetime | None:
    """What shows a booking lives as long as it does and a while longer; the links that act have terms of their own."""
    if purpose == Purpose.CANCEL:
        return now + policy.CANCEL_LINK_LIFETIME
    if purpose in (Purpose.CANCEL_LATE, Purpose.RESCHEDULE):  # whether there is time to move is the intent's to judge
        return booking.slot_start
    if purpose == Purpose.ROOM:
        return booking.slot_end + policy.ROOM_CLOSES_AFTER if booking.slot_end else now
    if purpose == Purpose.AGAIN:
        return now + policy.AGAIN_LINK_LIFETIME
    if purpose == Purpose.DATA:
        return now + policy.DATA_LINK_LIFETIME
    if purpose == Purpose.ERASURE:  # what it may do is for the request to say
        return now + policy.ERASURE_LINK_LIFETIME
    if booking.state == State.DRAFT:
        return booking.due_at
    return booking.closed_at + policy.LINK_KEPT_AFTER_CLOSE if booking.closed_at else None


def has_expired(booking: Booking, purpose: Purpose, *, now: datetime) -> bool:
    """Whether a link of this purpose would be worth nothing any more, if it was mailed for what is agreed now."""
    expires_at = _expiry(booking, purpose, now=now)
    return expires_at is not None and expires_at <= now


def tokens_of(message_uuid: UUID) -> dict[str, str]:
    """The tokens a message carries, derived again, by purpose; those of alternatives by `alternative:1` and so on.

    Raises KeyGone when the key that signed them was taken off the ring.
    """
    return tokens_of_all([message_uuid])[message_uuid]()


def tokens_of_all(message_uuids: Collection[UUID]) -> dict[UUID, Tokens]:
    """What `tokens_of` finds of each, when it is asked for. One query."""
    found: dict[UUID, list[Link]] = {uuid: [] for uuid in message_uuids}
    for link in Link.objects.filter(message_uuid__in=message_uuids).select_related("alternative").order_by("pk"):
        found[link.message_uuid].append(link)
    return {uuid: partial(_tokens, carried) for uuid, carried in found.items()}


def _tokens(carried: Iterable[Link]) -> dict[str, str]:
    ring, tokens = keyring.ring(RING), {}
    for link in carried:
        key = ring.find(link.key_id)
        if key is None:
            raise KeyGone(f"the link's key is no longer in {RING}")
        name = _name(Purpose(link.purpose), link.alternative)
        tokens[name] = key.token(name, link.message_uuid)
    return tokens


def mails_waiting_by_key() -> dict[str, int]:
    """The ids of all keys that signed a stored link, each with the number of waiting mails that need it.

    A mail about several bookings counts once for each of them.
    """
    waiting = Q(message_uuid__in=Message.objects.filter(state=MessageState.WAITING).values("uuid"))
    waiting |= Q(message_uuid__in=Part.objects.filter(message__state=MessageState.WAITING).values("uuid"))
    mails = Count("message_uuid", filter=waiting, distinct=True)
    return dict(Link.objects.values("key_id").annotate(mails=mails).values_list("key_id", "mails"))


def alternative_token_name(alternative_number: int) -> str:
    """The key of an alternative's token in `tokens_of`."""
    return f"{Purpose.ALTERNATIVE.value}:{alternative_number}"


def token_of(message_uuid: UUID, purpose: Purpose = Purpose.BOOKING) -> str:
    """One of them; empty if the message carries none."""
    return tokens_of(message_uuid).get(purpose, "")


def spend(link: Link, *, now: datetime) -> bool:
    """Use a single-use link: one conditional UPDATE; its siblings end with it. False: it was used or has expired."""
    spent = Link.objects.filter(pk=link.pk, spent_at=None, expires_at__gt=now).update(spent_at=now)
    if spent:
        siblings = Link.objects.filter(booking=link.booking_id, purpose=link.purpose, spent_at=None)
        siblings.update(expires_at=now)
    return spent == 1


def taken_of(link: Link) -> Booking | None:
    """The booking that came of one of the times that a rejection offered, by this link or by a sibling."""
    return Booking.objects.filter(taken_from__booking=link.booking_id).first()


def made_again(link: Link) -> Booking | None:
    """The request that came of a link in our apology."""
    rows = LedgerEntry.objects.select_related("booking").filter(booking__client=link.booking.client_id)
    row = rows.filter(intent=Intent.REQUEST_AGAIN, details__instead_of=link.booking_id).first()
    return row.booking if row is not None else None


def find(token: str, *purposes: Purpose) -> Link:
    """The link behind a token, with its booking. Refuses: link_unknown. Expiry is the caller's to judge."""
    link: Link | None = _with_digest(purposes).first(digest=digest(token))
    if link is None:
        raise Refused(Code.LINK_UNKNOWN)
    return link


@cache
def _with_digest(purposes: tuple[Purpose, ...]) -> compiled:
    joined = ["booking", "booking__psychologist"]
    if Purpose.ALTERNATIVE in purposes:
        joined += ["alternative", "alternative__psychologist"]
    known = Link.objects.select_related(*joined).filter(purpose__in=purposes)
    return compiled(lambda: known.filter(digest=Given("digest")))


def readable(link: Link, *, now: datetime) -> Booking:
    """The booking behind a link that shows it. Refuses: draft_lapsed, draft_superseded, link_expired."""
    booking = link.booking
    if booking.state == State.CANCELLED and booking.verified_at is None:
        raise Refused(Code.DRAFT_SUPERSEDED if booking.reason == Reason.SUPERSEDED else Code.DRAFT_LAPSED)
    if link.expires_at is not None and link.expires_at <= now:
        raise Refused(Code.DRAFT_LAPSED if booking.state == State.DRAFT else Code.LINK_EXPIRED)
    return booking


def keep_open(booking: Booking) -> None:
    """The address is proved: the booking's links live as long as it does."""
    batched_writes.write(_keep_open, booking.pk)


_open = compiled_update(
    lambda: Link.objects.filter(booking__among=GivenIds("bookings"), purpose__in=READING), expires_at=None
)


def _keep_open(booking_ids: list[int]) -> list[Statement[int]]:
    return [_open.statement(bookings=booking_ids)]


def close(booking: Booking, *, now: datetime) -> None:
    """The booking closed: its links stay readable for a while."""
    batched_writes.write(_expire, (booking.pk, now + policy.LINK_KEPT_AFTER_CLOSE))


_ended = compiled_update(
    lambda: Link.objects.filter(booking__among=GivenIds("bookings"), purpose__in=READING), expires_at=Given("at")
)


def _expire(closed: list[tuple[int, datetime]]) -> list[Statement[int]]:
    ends = {at for _, at in closed}
    return [_ended.statement(bookings=[booking_id for booking_id, its in closed if its == at], at=at) for at in ends]


def reopen(booking: Booking, *, ended_at: datetime) -> None:
    """The decision that ended links at that instant is undone: they work as long as they would have."""
    keep_open(booking)
    ended = Link.objects.filter(booking=booking, purpose__in=ACTING, spent_at=None, expires_at=ended_at)
    for link in ended:
        link.expires_at = _expiry(booking, Purpose(link.purpose), now=link.created_at)
        link.save(update_fields=["expires_at"])


def forget(message_uuids: QuerySet[Message, Any]) -> None:
    """Links of mails that are not sent: nobody has them."""
    Link.objects.filter(message_uuid__in=message_uuids).delete()


def revoke(booking: Booking, *purposes: Purpose, now: datetime) -> None:
    """Links of these purposes stop working: what they would do was done, or speaks of a time that has moved."""
    working = Link.objects.filter(booking=booking, purpose__in=purposes, spent_at=None, expires_at__gt=now)
    working.update(expires_at=now)


def digest(token: str) -> str:
    """SHA-256 in hex; `token` may be anything a stranger sent, lone surrogates included."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _name(purpose: Purpose, alternative: Alternative | None) -> str:
    return purpose.value if alternative is None else alternative_token_name(alternative.number)
