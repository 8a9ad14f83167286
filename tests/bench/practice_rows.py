"""The rows of a large practice, each table's by one statement over the table of plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.utils import CursorWrapper

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.outbox.models import Message
from backend.payments.models import Payment
from backend.people.models import Client, Corporate, Psychologist, WorkingHours
from tests.bench.inserting import insert, literal, values
from tests.support.factories import CLOSED_BY, PATHS

DOMAIN = "@large.example"
FIRST = ("Asha", "Ravi", "Nisha", "Arjun", "Meera", "Kabir", "Divya", "Rohan", "Leela", "Vikram", "Priya", "Imran")
LAST = ("Rao", "Sharma", "Iyer", "Khan", "Das", "Kulkarni", "Mehta", "Nair", "Singh", "Pillai", "Joshi", "Fernandes")
CITIES = ("Bengaluru", "Pune", "Chennai", "Mumbai", "Kochi", "Delhi")
PHONE = "'+919' || lpad((n * 7919::bigint % 1000000000)::text, 9, '0')"
OUTCOMES = ("attended", "attended", "no_show", "unrecorded")
REGULAR = 4  # bookings of a client in six years
PAISE = 150_000
# the mails that a booking has owed by the time it stands there
OWED = {
    Intent.SUBMIT_DRAFT: ("draft_submitted",),
    Intent.VERIFY_EMAIL: ("booking_received", "staff_booking_received"),
    Intent.APPROVE: ("booking_approved",),
    Intent.RECORD_CAPTURE: ("booking_confirmed", "psychologist_session_confirmed"),
    Intent.COMPLETE_SESSION: ("session_approaching", "session_imminent"),
    Intent.REJECT: ("booking_rejected",),
    Intent.CANCEL: ("booking_cancelled",),
    Intent.END_IDLE_ATTEMPT: ("payment_timed_out",),
}


def people(cursor: CursorWrapper, count: int, *, now: datetime, psychologists: int) -> dict[str, Any]:
    """Psychologists with hours, sponsors and clients; the first id of each, and of the bookings to come."""
    email = f"'p' || n || '{DOMAIN}'"
    _run(cursor, Psychologist, psychologists, full_name="'Dr. Large ' || n", email=email, is_active="true",
         meeting_link="'https://meet.example.org/' || n")  # fmt: skip
    first_person = _last(cursor, Psychologist) - psychologists + 1
    cursor.execute(
        insert(
            WorkingHours, f"generate_series(0, {psychologists} - 1) n, generate_series(0, 5) weekday",
            psychologist_id=f"{first_person} + n", weekday="weekday", starts_at="'09:00'", ends_at="'19:00'",
            offers="'BOTH'",
        )
    )  # fmt: skip
    _run(cursor, Corporate, 8, name="'Large ' || n || ' Ltd'")
    regulars, opened = max(1, count // REGULAR), max(22, count // 40)
    email = f"'v' || n || '{DOMAIN}'"
    _run(cursor, Client, regulars + opened, email=email, full_name=_name("n"), created_at=literal(now))
    first = {"first_person": first_person, "first_client": _last(cursor, Client) - regulars - opened + 1}
    return {**first, "people": psychologists, "regulars": regulars, "first_booking": _last(cursor, Booking) + 1}


def _run(cursor: CursorWrapper, model: Any, count: int, **said: str) -> None:
    cursor.execute(insert(model, f"generate_series(0, {count} - 1) AS n", **said))


def _last(cursor: CursorWrapper, model: Any) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {model._meta.db_table}")
    [(last,)] = cursor.fetchall()
    return int(last)


def statements(now: datetime) -> Iterator[str]:
    """In the order in which they refer to each other."""
    yield _bookings(now)
    yield f"SELECT setval(pg_get_serial_sequence('{Booking._meta.db_table}', 'id'), (SELECT max(id) FROM plan))"
    yield _claims()
    yield _payments()
    yield _ledger()
    yield _messages()


def _one_of(names: tuple[str, ...], number: str) -> str:
    return f"(ARRAY[{', '.join(map(literal, names))}])[1 + ({number}) % {len(names)}]"


def _name(number: str) -> str:
    return f"{_one_of(FIRST, number)} || ' ' || {_one_of(LAST, f'{number} / {len(FIRST)}')}"


def _bookings(now: datetime) -> str:
    lengths = values("path", "state, steps", [(state.value, len(path)) for state, path in PATHS.items()])
    reasons = " ".join(f"WHEN {literal(state.value)} THEN {literal(why.value)}" for state, why in CLOSED_BY.items())
    held = "CASE WHEN slot_start IS NOT NULL THEN {} END".format
    return insert(
        Booking, f"plan JOIN {lengths} USING (state) JOIN people_client c ON c.id = client_id ORDER BY n",
        id="plan.id", acknowledgement_id="'MS-' || lpad(n::text, 6, '0')", state="state", client_id="client_id",
        email="c.email", full_name="c.full_name", phone_number=PHONE,
        city=_one_of(CITIES, "n"), region="'Karnataka'", country="'India'", age="18 + n % 50",
        gender=_one_of(("MALE", "FEMALE", "OTHER", "PREFER_NOT_TO_SAY"), "n"), consent_given_at="asked_at",
        preferred_date="(coalesce(slot_start, asked_at + interval '5 days'))::date",
        preferred_period=_one_of(("MORNING", "EVENING"), "n"), mode=_one_of(("ONLINE", "OFFLINE"), "n / 2"),
        payment_mode=_one_of(("ONLINE", "OFFLINE"), "n / 3"), created_at="asked_at",
        verified_at="CASE WHEN state <> 'DRAFT' THEN asked_at END", ledger_sequence="steps",
        psychologist_id=held("psychologist_id"), slot_start="slot_start", slot_end="slot_start + interval '1 hour'",
        meeting_link="''", amount_paise=held(str(PAISE)), pay_by=held("slot_start - interval '1 day'"),
        reason=f"CASE state {reasons} ELSE '' END",
        outcome=f"CASE WHEN state = 'COMPLETED' THEN {_one_of(OUTCOMES, 'n')} ELSE 'unrecorded' END",
        closed_at="CASE WHEN is_over THEN coalesce(slot_start + interval '1 hour', asked_at + interval '1 day') END",
        due_at=f"CASE WHEN state = 'CONFIRMED' THEN slot_start + interval '1 hour' + {_span(policy.COMPLETE_AFTER)}"
        f" WHEN NOT is_over THEN {literal(now)} + (30 + n % 4000) * interval '1 minute' END",
    )  # fmt: skip


def _span(span: timedelta) -> str:
    return f"interval '{span.total_seconds():.0f} seconds'"


def _claims() -> str:
    return insert(
        SlotClaim, "plan WHERE slot_start IS NOT NULL AND NOT is_over", booking_id="id",
        psychologist_id="psychologist_id", blocked_from="slot_start",
        blocked_until=f"slot_start + interval '1 hour' + {_span(policy.SLOT_BUFFER)}",
    )  # fmt: skip


def _payments() -> str:
    states = values("paid", "state, became, got", [
        ("PAYMENT_PENDING", "open", 0), ("PAYMENT_FAILED", "idle", 0), ("CONFIRMED", "captured", PAISE),
        ("COMPLETED", "captured", PAISE),
    ])  # fmt: skip
    at = "CASE WHEN got > 0 THEN asked_at + interval '1 day' END"
    return insert(
        Payment, f"plan JOIN {states} USING (state)", booking_id="id",
        reference="'PAY-LARGE' || n", gateway="'sandbox'",
        gateway_order_id="'large-' || n", amount_paise=str(PAISE), currency=literal(policy.CURRENCY), state="became",
        captured_paise="got", captured_currency=f"CASE WHEN got > 0 THEN {literal(policy.CURRENCY)} ELSE '' END",
        started_at="asked_at + interval '20 hours'", captured_at=at,
        closed_at="CASE WHEN became <> 'open' THEN asked_at + interval '1 day' END",
    )  # fmt: skip


def _steps() -> str:
    found = []
    for state, path in PATHS.items():
        sources = ["", *(target.value for _, target in path)]
        for number, (intent, target) in enumerate(path, start=1):
            found.append((state.value, number, intent.value, sources[number - 1], target.value))
    return values("step", "state, number, intent, source, target", found)


def _ledger() -> str:
    return insert(
        LedgerEntry, f"plan JOIN {_steps()} USING (state)", booking_id="id", sequence="number",
        at="asked_at + (number - 1) * interval '1 hour'", intent="intent", source="source", target="target",
        actor="'visitor'",
    )  # fmt: skip


def _messages() -> str:
    mails = [
        (state.value, number, notice)
        for state, path in PATHS.items()
        for number, (intent, _) in enumerate(path, start=1)
        for notice in OWED.get(intent, ())
    ]
    at = "asked_at + (number - 1) * interval '1 hour'"
    return insert(
        Message, f"plan JOIN {values('mail', 'state, number, kind', mails)} USING (state)", queue="'mail'", kind="kind",
        dedupe_key="'large:' || n || ':' || kind", booking_id="id", ledger_sequence="number", state="'done'",
        attempts="1", hand_overs="1", not_before=at, next_attempt_at=at, created_at=at, settled_at=at, blanked_at=at,
    )  # fmt: skip
