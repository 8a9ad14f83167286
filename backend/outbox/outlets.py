"""What all workers know of the mail providers: since when the first takes nothing, and whose turn it is to send."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from backend.outbox.outlet_models import Outlet, OutletState

FALLBACK_AFTER = timedelta(minutes=5)  # of nothing but failures; shorter ones the back-off of each mail bridges
PROBE_EVERY = timedelta(minutes=5)  # how often one mail tries the first again: in doubt, that one stays with it
WAITS_MOST = timedelta(seconds=2)  # in a worker's hands for its turn; else it is put off


def first() -> OutletState | None:
    """What is known of the first."""
    return OutletState.objects.filter(outlet=Outlet.FIRST).first()


def is_given_up(state: OutletState | None, *, now: datetime) -> bool:
    """Whether mail leaves by the fallback meanwhile. A beginning that is ahead is a clock's."""
    since = state.refused_since if state is not None else None
    return since is not None and abs(now - since) >= FALLBACK_AFTER


def note_refused(reason: str, *, now: datetime) -> None:
    """The first took nothing; of the failures in a row, since when."""
    begun = {"refused_since": now, "reason": reason[:300], "probe_at": now + FALLBACK_AFTER + PROBE_EVERY}
    OutletState.objects.get_or_create(outlet=Outlet.FIRST)  # else who takes a turn may make it between two looks
    OutletState.objects.filter(outlet=Outlet.FIRST, refused_since=None).update(**begun)


def note_taken() -> None:
    """The first takes mail again."""
    ended = {"refused_since": None, "reason": "", "probe_at": None}
    OutletState.objects.filter(outlet=Outlet.FIRST, refused_since__isnull=False).update(**ended)


def begins_probe(*, now: datetime) -> bool:
    """Whether one mail may try if the first takes it; of two workers, one. A turn too far is a clock's."""
    is_due = Q(probe_at__lte=now) | Q(probe_at__gt=now + FALLBACK_AFTER + PROBE_EVERY)
    return OutletState.objects.filter(is_due, outlet=Outlet.FIRST).update(probe_at=now + PROBE_EVERY) == 1


def reserve(outlet: Outlet, count: int, *, per_second: int, now: datetime) -> datetime | None:
    """When the next `count` mails may begin to leave, all workers together; None: not within WAITS_MOST."""
    OutletState.objects.get_or_create(outlet=outlet)
    with transaction.atomic():
        state = OutletState.objects.select_for_update().get(outlet=outlet)
        planned = state.next_at
        is_planned = planned is not None and abs(planned - now) < timedelta(minutes=1)  # else a clock was set back
        begins_at = max(planned, now) if planned is not None and is_planned else now
        if begins_at > now + WAITS_MOST:
            return None
        state.next_at = begins_at + timedelta(seconds=count / per_second)
        state.save(update_fields=["next_at"])
    return begins_at
