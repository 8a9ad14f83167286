"""The life of a subscription: made, changed, given another secret, ended; how its server is doing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from backend.core import webhook_signature
from backend.outbox.patience import WEBHOOK_BACK_OFF_MOST
from backend.webhooks.models import EndedWhy, Secret, Subscription

UNTRIED: dict[str, Any] = {"failing_since": None, "failures": 0, "retry_at": None}
OVERLAP = timedelta(hours=24)  # how long the secret before signs beside a new one
OVERLAP_MOST = timedelta(days=30)
# After so many failures in a row its server is left alone for so long, whatever waits: one call tries for all
_LEFT_ALONE = (0, 0, 10, 30, 60, 120, 300, 600)  # seconds
LEFT_ALONE_MOST = min(timedelta(seconds=_LEFT_ALONE[-1]), WEBHOOK_BACK_OFF_MOST)
TRY_LASTS = timedelta(seconds=10)  # a call is over within five; then another may try
AWAY_MOST = max(LEFT_ALONE_MOST, TRY_LASTS)  # a longer wait is a clock's fault


@transaction.atomic
def subscribe(*, name: str, address: str, events: Sequence[str], by: str, now: datetime) -> tuple[Subscription, str]:
    """A new one and its secret, which is shown this once. The caller has judged the address."""
    made = Subscription.objects.create(name=name, address=address, events=sorted(events), created_at=now, created_by=by)
    return made, _give_secret(made, now=now)


def change(subscription: Subscription, *, name: str, address: str, events: Sequence[str]) -> Subscription:
    """As it is to be. Another server has failed at nothing yet, so it is not left alone for what this one did."""
    values: dict[str, Any] = {"name": name, "address": address, "events": sorted(events)}
    if address != subscription.address:
        values |= UNTRIED
    Subscription.objects.filter(pk=subscription.pk).update(**values)
    return Subscription.objects.get(pk=subscription.pk)


@transaction.atomic
def rotate_secret(subscription: Subscription, *, now: datetime, overlap: timedelta = OVERLAP) -> str:
    """A new secret. The one before signs beside it until the overlap is over; any older one ends now."""
    Subscription.objects.select_for_update().get(pk=subscription.pk)
    live = secrets_of(subscription, now=now)
    for secret in live[1:]:
        Secret.objects.filter(pk=secret.pk).update(ends_at=now)
    for secret in live[:1]:
        Secret.objects.filter(pk=secret.pk).update(ends_at=now + overlap)
    return _give_secret(subscription, now=now)


def secrets_of(subscription: Subscription, *, now: datetime) -> list[Secret]:
    """Those that sign, the newest first: one, or two while one replaces the other."""
    return list(subscription.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-id"))


def end(subscription: Subscription, why: EndedWhy, *, now: datetime) -> bool:
    """Nothing more is sent to it. False: it had ended before."""
    return live().filter(pk=subscription.pk).update(ended_at=now, ended_why=why, retry_at=None) == 1


def live() -> QuerySet[Subscription]:
    """Those that are told something."""
    return Subscription.objects.filter(ended_at=None)


def take_turn(subscription: Subscription, *, now: datetime) -> bool:
    """Whether this call is the one that tries for all, where its server took nothing lately: no other is for a while.

    False: another worker tries it at this moment.
    """
    if subscription.retry_at is None:
        return True
    ours = Subscription.objects.filter(pk=subscription.pk, retry_at=subscription.retry_at)
    return ours.update(retry_at=now + TRY_LASTS) == 1


def note_taken(subscription: Subscription) -> None:
    """It took an event; written only where that is news."""
    if subscription.failures:
        Subscription.objects.filter(pk=subscription.pk).update(**UNTRIED)


def note_not_taken(subscription: Subscription, *, now: datetime) -> None:
    """It did not; from the third in a row on it is left alone for a while."""
    failures = subscription.failures + 1
    away = min(timedelta(seconds=_LEFT_ALONE[min(failures, len(_LEFT_ALONE)) - 1]), LEFT_ALONE_MOST)
    Subscription.objects.filter(pk=subscription.pk).update(
        failing_since=subscription.failing_since or now, failures=failures, retry_at=now + away if away else None
    )


def _give_secret(subscription: Subscription, *, now: datetime) -> str:
    text = webhook_signature.new_secret()
    Secret.objects.create(subscription=subscription, secret=text, created_at=now)
    return text
