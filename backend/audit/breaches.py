"""Whose data somebody was shown, as the access log has it: ids and columns, for whoever has to tell those people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import parse
from backend.bookings.models import Booking

SHOWING = (Kind.OPENED, Kind.SEARCHED, Kind.EXPORTED, Kind.REVEALED)


@dataclass(frozen=True)
class Disclosed:
    """What was shown: ids of rows by table and column, as `{"booking.user_message": {12}}`."""

    pages: int
    ids: dict[str, set[int]]

    def of(self, table: str) -> set[int]:
        """Ids of this table, whatever was shown of them."""
        return set().union(*(found for name, found in self.ids.items() if name.partition(".")[0] == table))

    def clients(self) -> set[int]:
        """The persons, through whichever of their rows; a booking without a client is nobody's any more."""
        through = Booking.objects.filter(pk__in=self.of("booking"), client__isnull=False).order_by()
        return self.of("client") | set(through.values_list("client_id", flat=True))


def disclosed(*, actor: str | None, since: datetime, until: datetime, token: int | None = None) -> Disclosed:
    """To this account, or to anybody; by this token alone, if one is named."""
    rows = AccessRecord.objects.filter(kind__in=SHOWING, at__gte=since, at__lte=until)
    if actor is not None:
        rows = rows.filter(actor=actor)
    if token is not None:
        rows = rows.filter(token_id=token)
    return _merged(rows.order_by().values_list("shown", flat=True).iterator())


def _merged(texts: Iterable[str]) -> Disclosed:
    pages, ids = 0, dict[str, set[int]]()
    for text in texts:
        pages += 1
        for name, found in parse(text).items():
            ids.setdefault(name, set()).update(found)
    return Disclosed(pages, ids)
