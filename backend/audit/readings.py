"""Who read of a person, since when: for the page of an owner, and for what we tell the person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import parse
from backend.bookings import actors
from backend.bookings.models import Booking
from backend.people.models import Client

DAYS = 365  # that are told
LOOKED_FOR = 100  # ids in one query
Subjects = Mapping[str, Collection[int]]  # ids by table: {"booking": [12], "client": [5]}


@dataclass(frozen=True)
class Reading:
    """One time that somebody was shown something of these subjects."""

    at: datetime
    who: str  # `meera`, or `token 7 “nightly report” of meera`
    kind: str
    page: str
    what: tuple[str, ...]  # `user_message`, `phone_number`, or `row`: that it is there
    correlation_id: str

    @property
    def act(self) -> str:
        return Kind(self.kind).label


def since(now: datetime) -> datetime:
    """From when on is told who read."""
    return now - timedelta(days=DAYS)


def who(row: AccessRecord) -> str:
    """The account as staff read it, and which token of theirs, where a program asked."""
    account = actors.describe(row.actor)
    return account if row.token_id is None else f"token {row.token_id} “{row.token_name}” of {account}"


def of_booking(booking: Booking, *, since: datetime) -> list[Reading]:
    """Who read of this booking, newest first."""
    return readings({"booking": [booking.pk]}, since=since)


def of_client(client: Client, *, since: datetime) -> list[Reading]:
    """Who read of this person, in whichever booking, newest first."""
    ids = list(Booking.objects.filter(client=client).order_by().values_list("pk", flat=True))
    return readings({"client": [client.pk], "booking": ids}, since=since)


def readings(subjects: Subjects, *, since: datetime) -> list[Reading]:
    """Newest first. Pages of one subject are found by an index, those of many are looked through."""
    pages_of_one = Q(pk__in=())
    for table, ids in subjects.items():
        pages_of_one |= Q(subject=table, subject_id__in=ids)
    rows = AccessRecord.objects.filter(pages_of_one | _pages_of_many(subjects), at__gte=since)
    return [found for row in rows.order_by("-at", "-pk") if (found := _reading(row, subjects)) is not None]


def _pages_of_many(subjects: Subjects) -> Q:
    """Those that may show one of them; of many ids all are looked through."""
    pages, ids = Q(subject_id=None), {pk for found in subjects.values() for pk in found}
    return pages if len(ids) > LOOKED_FOR else pages & Q(*(Q(shown__contains=f" {pk} ") for pk in ids), _connector=Q.OR)


def _reading(row: AccessRecord, subjects: Subjects) -> Reading | None:
    """None for a page on which another table's row had the same id."""
    what = tuple(_names(parse(row.shown), subjects))
    return Reading(row.at, who(row), row.kind, row.page, what, row.correlation_id) if what else None


def _names(shown: Mapping[str, set[int]], subjects: Subjects) -> Iterable[str]:
    for name, ids in shown.items():
        table, _, column = name.partition(".")
        if ids.intersection(subjects.get(table, ())):
            yield column
