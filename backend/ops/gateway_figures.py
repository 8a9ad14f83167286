"""How we and the gateways hear of each other, in numbers: events, hosted pages, and books that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from backend.bookings.lifecycle.quarantine import QUARANTINED
from backend.bookings.lifecycle.reconciliation import UNTOLD
from backend.bookings.lifecycle.refused_events import REFUSED
from backend.core.compiled_queries import Ago, compiled
from backend.core.statements import Row
from backend.ops.health import since
from backend.payments.models import ODD_RESULTS, InboxEvent, PageState, Payment, PaymentState, Reconciliation

QUARANTINE_SHOWN_FOR = timedelta(days=7)  # afterwards whoever was to look has looked; the rows stay
UNTOLD_SHOWN_FOR = timedelta(days=1)
REFUSED_SHOWN_FOR = timedelta(hours=1)
PAGE_LEFT_AFTER = timedelta(hours=1)  # past the attempt's end; a page closes within seconds
NONE = timedelta(0)


@dataclass(frozen=True)
class GatewayFigures:
    """What passes between us and the gateways."""

    quarantined: int  # reports of money that is bound to no booking, within the last week
    untold: int  # captures of the last day that the gateway sent no event of
    refused: int  # payments whose events were not signed with our secret, within the last hour
    events_waiting: int
    oldest_event_age: timedelta | None  # since it was received
    pages_left: int  # hosted pages that may take money for an attempt that is over
    uncompared_for: timedelta  # how long the rounds of comparing come to no end


def of_rows(rows: Sequence[list[Row]], now: datetime) -> GatewayFigures:
    """What QUERIES brought, in their order."""
    odd, waiting, pages, rounds = rows
    counts = {result: counted for result, *counted in odd}
    nobody = (0, 0, 0)
    [(n_waiting, oldest)] = waiting or [(0, None)]
    return GatewayFigures(
        quarantined=counts.get(QUARANTINED, nobody)[0],
        untold=counts.get(UNTOLD, nobody)[1],
        refused=counts.get(REFUSED, nobody)[2],
        events_waiting=n_waiting,
        oldest_event_age=since(oldest, now),
        pages_left=sum(count for _, count in pages),
        uncompared_for=max((_uncompared(*row) for row in rounds), default=NONE),
    )


def _uncompared(first: datetime, begun: datetime, completed: datetime | None) -> timedelta:
    """Between the last round that came to its end and the last that began: a gateway without payments has neither."""
    return max(NONE, begun - (completed or first))


@compiled
def _odd() -> QuerySet[InboxEvent, Any]:
    rows = InboxEvent.objects.filter(result__in=ODD_RESULTS, received_at__gt=Ago(lambda: QUARANTINE_SHOWN_FOR))
    of_day = Q(received_at__gt=Ago(lambda: UNTOLD_SHOWN_FOR))
    of_hour = Q(received_at__gt=Ago(lambda: REFUSED_SHOWN_FOR))
    counts = rows.order_by().values_list("result")
    return counts.annotate(Count("pk"), of_day=Count("pk", filter=of_day), of_hour=Count("pk", filter=of_hour))


@compiled
def _waiting() -> QuerySet[InboxEvent, Any]:
    rows = InboxEvent.objects.filter(applied_at=None).order_by().values("applied_at")
    return rows.annotate(n=Count("pk"), oldest=Min("received_at")).values_list("n", "oldest")


@compiled
def _pages() -> QuerySet[Payment, Any]:
    rows = Payment.objects.filter(page_state=PageState.OPEN, closed_at__lt=Ago(lambda: PAGE_LEFT_AFTER))
    return rows.exclude(state=PaymentState.OPEN).order_by().values_list("page_state").annotate(Count("pk"))


@compiled
def _rounds() -> QuerySet[Reconciliation, Any]:
    return Reconciliation.objects.order_by().values_list("first_begun_at", "begun_at", "completed_at")


QUERIES = (_odd, _waiting, _pages, _rounds)
