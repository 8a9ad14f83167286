"""A mail is made while the database stores that it leaves, and that changes nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as default_policy

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMultiAlternatives
from django.db import connection

from backend.bookings.lifecycle import front_desk
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.core.errors import Permanent
from backend.notifications import delivery
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.mail_sink import Sink
from tests.support.mail_worker import drain
from workers import batch, mail

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look a batch, however busy this machine is."""
    monkeypatch.setattr(batch, "LOOK_LASTS", 3600.0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """For whom mails were made, and whether the database was at work then."""
    noted: list[tuple[str, str]] = []
    connection.ensure_connection()
    opened = connection.connection

    def note(message: Message) -> None:
        noted.append((message.recipient[0], opened.info.transaction_status.name))

    composing(monkeypatch, note)
    return noted


def composing(monkeypatch: pytest.MonkeyPatch, first: Callable[[Message], object]) -> None:
    """Do that before each mail is made."""
    compose = delivery.compose

    def composed(message: Message, tokens: Mapping[str, str]) -> EmailMultiAlternatives:
        first(message)
        return compose(message, tokens)

    monkeypatch.setattr(delivery, "compose", composed)


def submitted(now: datetime, names: str = "abc") -> list[Booking]:
    return [scenarios.submitted(f"{name}@example.org", now=now) for name in names]


def rows() -> dict[str, tuple[MessageState, int]]:
    found = Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).order_by("pk")
    return {row.recipient[0]: (MessageState(row.state), row.attempts) for row in found}


def test_each_is_made_once_while_its_attempt_is_stored(now: datetime, sink: Sink, made: list[tuple[str, str]]) -> None:
    submitted(now)
    drain(now)
    assert made == [(name, "ACTIVE") for name in "abc"]
    assert sink.recipients == [[f"{name}@example.org"] for name in "abc"]


def test_one_of_words_that_are_not_so_any_more_is_made_again(
    now: datetime, sink: Sink, made: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, later, _ = submitted(now)
    sent = mail._outlet.send

    def send(letter: EmailMultiAlternatives) -> str:
        if letter.to == ["a@example.org"]:
            front_desk.extend_deadline(later.pk, State.DRAFT, timedelta(hours=6), actor="staff:desk", now=now)
        return sent(letter)

    monkeypatch.setattr(mail._outlet, "send", send)
    drain(now)
    assert made == [("a", "ACTIVE"), ("b", "ACTIVE"), ("b", "IDLE"), ("c", "ACTIVE")]
    deadline = formatting.day_and_time(Booking.objects.get(pk=later.pk).due_at)
    said = message_from_bytes(sink.accepted[1], policy=default_policy).get_body(("plain",)).get_content()
    assert deadline in said
    assert rows() == dict.fromkeys("abc", (MessageState.DONE, 1))


def test_one_that_cannot_be_made_fails_in_its_attempt(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[Message] = []

    def breaks(message: Message) -> None:
        if message.recipient[0] == "b":
            broken.append(message)
            raise Permanent("a link of it is gone")

    composing(monkeypatch, breaks)
    submitted(now)
    drain(now)
    assert rows() == {"a": (MessageState.DONE, 1), "b": (MessageState.DEAD, 1), "c": (MessageState.DONE, 1)}
    assert len(broken) == 1
    assert not Message.objects.get(recipient="b@example.org", kind=Notice.DRAFT_SUBMITTED).may_have_left


def test_a_drain_that_takes_too_long_ends_and_no_mail_is_to_blame(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes_too_long(message: Message) -> None:
        if message.recipient[0] == "b":
            raise SoftTimeLimitExceeded

    composing(monkeypatch, takes_too_long)
    submitted(now)
    with pytest.raises(SoftTimeLimitExceeded):
        drain(now)
    assert sink.recipients == [["a@example.org"]]
    assert rows() == {"a": (MessageState.DONE, 1), "b": (MessageState.WAITING, 1), "c": (MessageState.WAITING, 0)}


def test_one_that_asks_for_what_the_database_keeps_is_made_afterwards(
    now: datetime, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    composing(monkeypatch, lambda _message: Booking.objects.count())
    submitted(now)
    drain(now)
    assert rows() == dict.fromkeys("abc", (MessageState.DONE, 1))
