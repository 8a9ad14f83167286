"""The brakes on guessing ids and on making us send mails; counted in the database, by clock hours, as passwords are.

Of look-ups only misses are counted, and hits cost no write. A client over its limit is refused every look-up, hits too:
a refusal of misses alone would tell which ids exist. Others go on. When all clients together missed too often, guesses
come from many addresses, and one miss is enough to be refused: who polls a good id never notices.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Q, QuerySet

from backend.api.models import LookupMiss
from backend.bookings import policy
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.core.networks import Asked, client_network
from backend.core.statements import Statement, rows, run

EVERYBODY = "*"
LOGIN = "login:"  # before a client's address, or a digest, where `logins` counts failed ones
MAILS = "mails:"  # before a client's address where requests that cause a mail are counted
ENQUIRIES = "enquiries:"


@contextmanager
def limit_lookups(request: Asked, *, now: datetime) -> Iterator[None]:
    """Wraps a look-up by id: refuses guessers, and counts the look-up when it finds nothing.

    Before anything is looked up, so that how long a refusal takes tells nothing either.
    Refuses: too_many_misses, with `retry_after`. One query, and none to write unless it is a miss.
    """
    asked = who_asks(request, now=now)
    if _guesses.rows(**asked):
        raise Refused(Code.TOO_MANY_MISSES, retry_after=until_next_hour(now))
    try:
        yield
    except Refused as refused:
        if refused.code is Code.BOOKING_UNKNOWN:
            count(asked["client"], now=now)
            count(EVERYBODY, now=now)
        raise


def unless_guessed(found: QuerySet[Any]) -> QuerySet[Any]:
    """None of them where `who_asks` guesses. The database asks that once, before it looks for any."""
    return found.filter(~Exists(_of_a_guesser()))


def who_asks(request: Asked, *, now: datetime) -> dict[str, Any]:
    """What a query of `unless_guessed` rows is to be given."""
    most = {"most": policy.LOOKUP_MISSES_PER_HOUR, "most_of_all": policy.LOOKUP_MISSES_ALL}
    return {"client": client_network(request), "hour": _hour(now), **most}


def limit_mails(request: Asked, *, now: datetime) -> None:
    """Counts a request that causes a mail, before anything is looked up: so it is refused alike for every address.

    Refuses: too_many_requests, with `retry_after`.
    """
    if not take(MAILS + client_network(request), policy.STRANGER_REQUESTS_PER_HOUR, now=now):
        raise Refused(Code.TOO_MANY_REQUESTS, retry_after=until_next_hour(now))


def limit_enquiries(request: Asked, *, now: datetime) -> None:
    """Counts a message from the contact form, so that one client does not close it for all. Refuses: as above."""
    if not take(ENQUIRIES + client_network(request), policy.ENQUIRIES_PER_HOUR, now=now):
        raise Refused(Code.TOO_MANY_REQUESTS, retry_after=until_next_hour(now))


def take(client: str, most: int, *, now: datetime) -> bool:
    """Whether this hour had one left; of many at once exactly as many get one as there are. One statement."""
    return most > 0 and _add_one(client, most, now=now)


def give_back(client: str, *, now: datetime) -> None:
    """What was taken or counted lately counts no more."""
    _row(client, now).filter(count__gt=0).update(count=F("count") - 1)


def is_first_refusal(client: str, *, now: datetime) -> bool:
    """Whether nobody was refused here yet this hour; asked once for each refusal."""
    return _row(client, now).filter(refused=False).update(refused=True) == 1


def counted(client: str, *, now: datetime) -> int:
    """So many this hour."""
    return _row(client, now).values_list("count", flat=True).first() or 0


@compiled
def _guesses() -> QuerySet[LookupMiss, Any]:
    return _of_a_guesser().values_list("pk")


def _of_a_guesser() -> QuerySet[LookupMiss]:
    this_hour = LookupMiss.objects.filter(hour=Given("hour"))
    is_attack = Exists(this_hour.filter(client=EVERYBODY, count__gte=Given("most_of_all")))
    return this_hour.filter(Q(count__gte=Given("most")) | Q(is_attack, count__gte=1), client=Given("client"))


def count(client: str, *, now: datetime) -> None:
    """One more this hour."""
    _add_one(client, None, now=now)


def _row(client: str, now: datetime) -> QuerySet[LookupMiss]:
    return LookupMiss.objects.filter(client=client, hour=_hour(now))


def _add_one(client: str, most: int | None, *, now: datetime) -> bool:
    """Makes the row of an hour with its first, or adds one to it. False: there were `most`.

    Where that is a transaction of its own, PostgreSQL need not wait for its disk, least of all for who is refused:
    after a crash the last second may count no more.
    """
    table, hour = LookupMiss._meta.db_table, connection.ops.adapt_datetimefield_value(_hour(now))
    sql = (
        f"INSERT INTO {table} AS miss (client, hour, count, refused) VALUES (%s, %s, 1, %s) "  # noqa: S608 -- our table
        "ON CONFLICT (client, hour) DO UPDATE SET count = miss.count + 1 "
        f"{'' if most is None else 'WHERE miss.count < %s '}RETURNING count"
    )
    counting = Statement(sql, [client, hour, False, *([] if most is None else [most])], rows)
    is_alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    *_, counted = run(*([_WITHOUT_WAITING] if is_alone else []), counting)
    return bool(counted)


# of this trip, which is one transaction
_WITHOUT_WAITING = Statement("SELECT set_config('synchronous_commit', 'off', true)", None, rows)


def until_next_hour(now: datetime) -> timedelta:
    """When counting begins anew."""
    return _hour(now) + timedelta(hours=1) - now


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
