"""What was kept long enough goes: one table says when, a dry run how many, and what is about people has a rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from knox.models import AuthToken

from backend.accounts.models import EnrolmentLink, Session
from backend.api.models import LookupMiss
from backend.audit.models import AccessRecord
from backend.bookings import retention
from backend.bookings.models import Booking, KeptAnswer, Link
from backend.bookings.retention import RULES, UNENDED, Kind
from backend.channels.models import Consent
from backend.core.personal_data import personal_columns
from backend.ops.models import TimerRun
from backend.outbox.models import ClosedMailbox, Message, MessageState
from backend.people.models import Client
from backend.webhooks import subscriptions
from backend.webhooks.models import Delivery
from config.schedule import TABLE
from tests.support import scenarios
from workers import timers

pytestmark = pytest.mark.sqlite_only
MOMENT = timedelta(seconds=1)


def test_every_table_about_people_has_a_rule() -> None:
    ruled = {rule.table for rule in RULES.values()} | {table for kept in UNENDED for table in kept.tables}
    assert {model._meta.label for model in apps.get_models() if personal_columns(model)} <= ruled
    assert {apps.get_model(label)._meta.label for label in ruled} == ruled


def test_every_rule_names_a_timer_that_runs() -> None:
    scheduled = {task.removeprefix("workers.timers.") for task, _ in TABLE.values()}
    assert {rule.timer for rule in RULES.values()} <= scheduled


def a_draft(at: datetime) -> None:
    booking = scenarios.submitted(f"{at:%f%S}@example.org", now=at)
    Message.objects.filter(booking_id=booking.pk).update(settled_at=None)
    Link.objects.filter(booking=booking).delete()
    Booking.objects.filter(pk=booking.pk).update(
        state="CANCELLED", reason="email_not_verified", closed_at=at, due_at=None
    )


def a_link(at: datetime) -> None:
    booking = scenarios.submitted(f"link{at:%f%S}@example.org", now=at)
    first, *others = Link.objects.filter(booking=booking).values_list("pk", flat=True)
    Link.objects.filter(pk__in=others).delete()
    Link.objects.filter(pk=first).update(expires_at=at)


def a_delivery(at: datetime) -> None:
    told, _ = subscriptions.subscribe(name="x", address="x", events=[], by="x", now=at)
    owed = {"queue": "calls", "kind": "webhook:x", "dedupe_key": f"call {at}", "created_at": at}
    row = Message.objects.create(**owed, not_before=at, next_attempt_at=at)
    Delivery.objects.create(subscription=told, message=row, at=at, milliseconds=1)


def a_mail(at: datetime, kind: str = "x") -> None:
    Message.objects.create(
        queue="mail", kind=kind, recipient="a@example.org", dedupe_key=f"{kind} {at}", created_at=at, not_before=at,
        next_attempt_at=at, state=MessageState.DONE, settled_at=at,
    )  # fmt: skip


def a_token(at: datetime) -> None:
    token, _ = AuthToken.objects.create(User.objects.create(username=f"token {at}"))
    AuthToken.objects.filter(pk=token.pk).update(expiry=at)


def an_enrolment(at: datetime) -> None:
    account = User.objects.create(username=f"link {at}")
    EnrolmentLink.objects.create(account=account, digest=f"{at}", made_by="staff:asha", made_at=at, expires_at=at)


def a_consent(at: datetime) -> None:
    client = Client.objects.create(email=f"{at:%f%S}@consent.example", created_at=at)
    given = {"purpose": "reminders", "channel": "sms", "phone_number": "+919876543210", "given_at": at}
    Consent.objects.create(client=client, **given, withdrawn_at=at)
    Consent.objects.create(client=client, **given)  # stands, and stays


MAKE: dict[Kind, Callable[[datetime], object]] = {
    Kind.DRAFTS: a_draft,
    Kind.MAILS: a_mail,
    Kind.ANSWERS: lambda at: a_mail(at, "erasure_done"),
    Kind.LINKS: a_link,
    Kind.ACCESS: lambda at: AccessRecord.objects.create(at=at, actor="staff:asha", kind="opened"),
    Kind.SESSIONS: lambda at: Session.objects.create(session_key=f"{at}", expire_date=at),
    Kind.TOKENS: a_token,
    Kind.ENROLMENTS: an_enrolment,
    Kind.COUNTS: lambda at: LookupMiss.objects.create(client="192.0.2.1", hour=at),
    Kind.REPEATS: lambda at: KeptAnswer.objects.create(digest=f"{at}", reserved_at=at, lease_ends_at=at),
    Kind.MAILBOXES: lambda at: ClosedMailbox.objects.create(mailbox=f"{at}", why="bounced", since=at),
    Kind.DELIVERIES: a_delivery,
    Kind.CONSENTS: a_consent,
    Kind.RUNS: lambda at: TimerRun.objects.create(timer="lapse_drafts", started_at=at),
}


def dry_run(*kinds: str) -> dict[str, int]:
    said = StringIO()
    call_command("purge", *kinds, "--dry-run", stdout=said)
    return {line.split(":")[0]: int(line.split()[-1]) for line in said.getvalue().splitlines()}


def left() -> dict[Kind, int]:
    """Without the runs that the timers of this test leave, and an answer among the mails."""
    rows = {kind: retention.due(kind, datetime.max.replace(tzinfo=UTC)) for kind in Kind}
    rows[Kind.RUNS] = rows[Kind.RUNS].filter(timer="lapse_drafts")
    rows[Kind.MAILS] = rows[Kind.MAILS].filter(kind="x")
    return {kind: found.count() for kind, found in rows.items()}


@pytest.mark.django_db
def test_of_each_kind_a_dry_run_counts_what_its_timer_then_takes_and_no_more() -> None:
    today = datetime.now(UTC)  # the guard of the access log asks the database's own clock
    with time_machine.travel(today, tick=False):
        for kind, make in MAKE.items():
            make(today - RULES[kind].kept)
            make(today - RULES[kind].kept + MOMENT)
        before = left()
        assert dry_run() == dict.fromkeys(Kind, 1)
        assert left() == before
        for name in {rule.timer for rule in RULES.values()}:
            getattr(timers, name)()
    assert left() == {kind: count - 1 for kind, count in before.items()}


@pytest.mark.django_db
def test_the_command_takes_the_kinds_that_are_named_and_knows_no_others(now: datetime, clock: object) -> None:
    for kind in (Kind.DRAFTS, Kind.COUNTS):
        MAKE[kind](now - RULES[kind].kept)
    call_command("purge", "drafts", stdout=StringIO())
    assert dry_run("drafts", "counts") == {"drafts": 0, "counts": 1}
    with pytest.raises(CommandError, match="no kind of data"):
        call_command("purge", "everything")
