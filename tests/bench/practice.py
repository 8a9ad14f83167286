"""A large practice, to measure on: bookings over six years as work would leave them, by one statement a table.

PostgreSQL writes them from a table of plans: a million within some minutes. They stand past the lifecycle, keep every
constraint, and owe no mail: each that would have been sent is settled. What is open is the newest.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.outbox.models import Message
from backend.payments.models import Payment
from tests.bench import practice_rows as rows
from tests.bench.bulk import without_indexes
from tests.bench.inserting import literal

DAYS = 6 * 365
OPEN = 22  # of a thousand bookings, so many are not over: the shares below
OPEN_SHARES = (
    (State.DRAFT, 2), (State.PENDING, 3), (State.APPROVED, 2), (State.PAYMENT_PENDING, 1), (State.CONFIRMED, 14),
)  # fmt: skip
ENDED_SHARES = ((State.REJECTED, 41), (State.CANCELLED, 123), (State.PAYMENT_FAILED, 18), (State.COMPLETED, 818))
MANY = 20_000  # bookings; for fewer the indexes may stay
ROOMS = 5  # sessions of a psychologist a day, two hours apart
# n counts bookings, `turn` those of one state; `place` is a session's number within its day
PLAN = """
CREATE TEMP TABLE plan AS
WITH numbered AS (
    SELECT n, CASE WHEN n >= {ended} THEN {open_state} ELSE {ended_state} END AS state
    FROM generate_series(0, {count} - 1) AS n
), counted AS (
    SELECT n, state, state IN ('APPROVED', 'PAYMENT_PENDING', 'CONFIRMED') AS is_ahead,
        row_number() OVER (PARTITION BY state ORDER BY n) - 1 AS turn, count(*) OVER (PARTITION BY state) AS fellows,
        row_number() OVER (PARTITION BY state IN ('APPROVED', 'PAYMENT_PENDING', 'CONFIRMED') ORDER BY n) - 1 AS ahead
    FROM numbered
), dated AS (
    SELECT n, state, turn,
        CASE WHEN is_ahead THEN ahead / {a_day} WHEN state IN ('COMPLETED', 'PAYMENT_FAILED')
            THEN turn * ({days} - 1) / fellows - {days} END AS day,
        n * {days}::bigint / {count} - {days} AS asked_day
    FROM counted
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY day ORDER BY n) - 1 AS place FROM dated
), held AS (
    SELECT *, CASE WHEN day < 0 THEN {today} ELSE {next_hour} - interval '4 hours' END + day * interval '1 day'
        + (4 + 2 * (place / {people})) * interval '1 hour' AS slot_start
    FROM placed
)
SELECT n, state, turn, {first_booking} + n AS id, slot_start, {first_person} + place % {people} AS psychologist_id,
    state IN ('COMPLETED', 'REJECTED', 'CANCELLED', 'PAYMENT_FAILED') AS is_over,
    CASE WHEN n >= {ended} THEN {first_client} + n - {ended}
        ELSE {first_client} + {count} - {ended} + (n * 7919::bigint) % {regulars} END AS client_id,
    CASE WHEN n >= {ended} THEN {now} - n % 600 * interval '1 minute'
        ELSE coalesce(slot_start - interval '4 days', {today} + asked_day * interval '1 day') END AS asked_at
FROM held
"""


def make(count: int) -> None:
    """So many bookings beside those that there are. Call it on a database of its own."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("DROP TABLE IF EXISTS plan")
        facts = rows.people(cursor, count, now=now, psychologists=max(40, -(-count // (DAYS * ROOMS)) + 8))
        cursor.execute(PLAN.format(**facts, **_shape(count, facts["people"], now)))
        cursor.execute("CREATE INDEX ON plan (state)")
        cursor.execute("ANALYZE plan")
        tables = [model._meta.db_table for model in (Booking, LedgerEntry, Payment, Message)]
        with without_indexes(cursor, *tables) if count >= MANY else nullcontext():
            for statement in rows.statements(now):
                cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("ANALYZE")
        cursor.execute("RESET statement_timeout")


def _shape(count: int, people: int, now: datetime) -> dict[str, str]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ended = count - max(OPEN, count * OPEN // 1000)  # each state among them, however few
    return {
        "count": str(count),
        "ended": str(ended),
        "days": str(DAYS),
        "a_day": str(people * ROOMS),
        "now": literal(now),
        "today": literal(today),
        "next_hour": literal(now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)),  # sessions go on
        "open_state": _drawn(OPEN_SHARES),
        "ended_state": _drawn(ENDED_SHARES),
    }


def _drawn(shares: tuple[tuple[State, int], ...]) -> str:
    """A state for n: so many of each among any that follow one another, well mixed."""
    whole, lowest, cases = sum(share for _, share in shares), 0, []
    for state, share in shares:
        lowest += share
        cases.append(f"WHEN n * 7919::bigint % {whole} < {lowest} THEN {literal(state.value)}")
    return f"CASE {' '.join(cases)} END"
