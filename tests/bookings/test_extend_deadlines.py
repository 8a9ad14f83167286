"""After an outage of ours the deadlines of a whole state are extended from the command line."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backend.bookings import policy
from backend.bookings.lifecycle import front_desk
from backend.bookings.models import LedgerEntry
from backend.desk.management.commands import extend_deadlines
from tests.support import scenarios

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def run(*arguments: object) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command("extend_deadlines", *(str(argument) for argument in arguments), stdout=printed)
    return printed.getvalue()


def refusal(*arguments: object) -> str:
    """The command's error; nothing may have been written."""
    before = LedgerEntry.objects.count()
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert LedgerEntry.objects.count() == before
    return str(error.value)


def test_every_booking_of_the_state_gets_its_hours_and_the_count_is_printed(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "SWEEP_BATCH", 2)
    waiting = [scenarios.pending(f"{number}@example.org", now=now) for number in range(5)]
    other = scenarios.submitted("draft@example.org", now=now)
    assert run("--state", "PENDING", "--hours", 6) == "5 PENDING extended by 6 h\n"
    for booking in waiting:
        assert scenarios.again(booking).due_at == booking.due_at + timedelta(hours=6)
        entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
        assert (entry.intent, entry.actor) == ("extend_deadline", "staff:console")
    assert scenarios.again(other).due_at == other.due_at


def test_a_dry_run_only_counts(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    printed = run("--state=draft", "--hours=48", "--dry-run")
    assert printed == "1 DRAFT would be extended by 48 h; none was\n"
    assert scenarios.again(booking).due_at == booking.due_at
    assert LedgerEntry.objects.count() == 1


def test_approvals_get_more_time_to_pay_but_never_past_the_slot(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    assert run("--state=APPROVED", "--hours=720", "--actor=staff:asha").startswith("1 APPROVED ")
    assert scenarios.again(booking).pay_by == scenarios.again(booking).due_at == booking.slot_start
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").actor == "staff:asha"


def test_an_extension_that_breaks_off_says_how_many_have_their_time(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bookings = [scenarios.pending(f"{number}@example.org", now=now) for number in range(3)]

    def extend(booking_id: int, *arguments: object, **options: object) -> bool:
        if booking_id == bookings[2].pk:
            raise OperationalError("the server closed the connection")
        return front_desk.extend_deadline(booking_id, *arguments, **options)

    monkeypatch.setattr(extend_deadlines, "extend_deadline", extend)
    printed = io.StringIO()
    with pytest.raises(OperationalError):
        call_command("extend_deadlines", "--state=PENDING", "--hours=1", stdout=printed)
    assert printed.getvalue() == "2 PENDING extended by 1 h\n"
    assert LedgerEntry.objects.filter(intent="extend_deadline").count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--state": "PENDNG"}, "--state 'PENDNG': choose one of DRAFT, PENDING, APPROVED."),
        ({"--state": "CONFIRMED"}, "--state 'CONFIRMED': choose one of DRAFT, PENDING, APPROVED."),
        ({"--hours": "0"}, "--hours 0: give whole hours between 1 and 720."),
        ({"--hours": "-6"}, "--hours -6: give whole hours between 1 and 720."),
        ({"--hours": "721"}, "--hours 721: give whole hours between 1 and 720."),
        ({"--hours": "1.5"}, "argument --hours: invalid int value: '1.5'"),
        ({"--actor": "desk"}, "--actor 'desk': give staff: and a name"),
    ],
)
def test_a_typing_error_extends_nothing(now: datetime, changes: dict[str, str], message: str) -> None:
    scenarios.pending(now=now)
    options = {"--state": "PENDING", "--hours": "6"} | changes
    arguments = [f"{name}={value}" for name, value in options.items()]
    assert message in refusal(*arguments)


def test_state_and_hours_are_required() -> None:
    assert "--state" in refusal("--hours=6")
    assert "--hours" in refusal("--state=PENDING")
