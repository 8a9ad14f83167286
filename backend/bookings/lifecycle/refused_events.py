"""Webhooks whose signature is not ours and that name a payment of ours: a secret that was changed on one side alone."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from backend.bookings import policy
from backend.bookings.lifecycle.transaction import intent
from backend.core import correlation
from backend.payments.gateway import EventKind
from backend.payments.models import InboxEvent, Payment

log = logging.getLogger(__name__)

REFUSED = "refused"  # the result of such an event: it was believed in nothing
SAID_AGAIN_AFTER = timedelta(minutes=10)
MOST_NAMES = 3  # of one body that are looked up
_REFERENCE = re.compile(rb"\bPAY-[0-9A-Z]{20}\b")


@intent
def note_refused(gateway: str, body: bytes, *, now: datetime) -> None:
    """Keep that it came, if it names a payment that events are due for.

    A stranger knows no reference but that of their own payment, and each has one row, however often it is named.
    """
    names = {found.group().decode() for found, _ in zip(_REFERENCE.finditer(body), range(MOST_NAMES), strict=False)}
    if not names:
        return
    recent = Payment.objects.filter(gateway=gateway, started_at__gt=now - policy.RECONCILED_FOR)
    payment = recent.filter(reference__in=names).order_by("pk").first()
    if payment is None:
        return
    row = InboxEvent(
        gateway=gateway,
        event_id=f"{REFUSED}:{payment.pk}",
        kind=EventKind.OTHER,
        payment_reference=payment.reference,
        result=REFUSED,
        why="an event that names this payment is not signed with our secret",
        correlation_id=correlation.current(),
        received_at=now,
        applied_at=now,
    )
    said = InboxEvent.objects.filter(gateway=gateway, event_id=row.event_id)
    if not said.exists():
        InboxEvent.objects.bulk_create([row], ignore_conflicts=True)
        log.error("refused, and names a payment of ours: the secret of %s's webhook is another one", gateway)
    else:
        said.filter(received_at__lt=now - SAID_AGAIN_AFTER).update(received_at=now)
