"""Where no channel is configured nothing is asked that was not asked before; with one, a batch asks once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.channels import routing
from backend.channels.models import Consent
from backend.outbox.models import Message, MessageState
from tests.support import mail_worker, scenarios, texts
from tests.support.fake_channels.base import FakeChannel

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]


def statements(at: datetime) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        mail_worker.drain(at)
    return [query["sql"] for query in seen.captured_queries]


def test_nothing_of_channels_is_asked_where_none_is_configured(now: datetime) -> None:
    booking = texts.confirmed(now, "sms")
    assert not Consent.objects.exists()
    Consent.objects.create(
        client=booking.client, purpose="reminders", channel="sms", phone_number=texts.PHONE, given_at=now
    )  # of a channel that was configured once
    asked = statements(texts.mail_of(booking).not_before)
    assert not [sql for sql in asked if "channels_" in sql or routing.BY in sql]
    assert texts.mail_of(booking).state == MessageState.DONE


def test_a_batch_of_reminders_is_asked_about_once(now: datetime, fakes: dict[str, FakeChannel]) -> None:
    for number in range(5):
        who = scenarios.psychologist(f"Dr. {number}", email=f"{number}@example.org")
        booking = texts.confirmed(now, "email", email=f"v{number}@example.org", who=who)
    due = texts.mail_of(booking).not_before
    asked = statements(due)
    assert len([sql for sql in asked if "channels_consent" in sql]) == 1
    assert Message.objects.filter(kind=texts.FIRST, state=MessageState.DONE).count() == 5


def test_other_mails_ask_nothing_of_channels(now: datetime, fakes: dict[str, FakeChannel]) -> None:
    scenarios.confirmed(now=now, reminders_by="sms")
    asked = statements(now + timedelta(seconds=1))
    assert not [sql for sql in asked if "channels_" in sql]


def test_a_mail_that_was_routed_is_not_written_again(now: datetime, fakes: dict[str, FakeChannel]) -> None:
    asked = statements(texts.mail_of(texts.confirmed(now)).not_before)
    assert len([sql for sql in asked if sql.startswith('INSERT INTO "outbox_message"')]) == 1
    assert not [sql for sql in asked if "WITH given" in sql]  # what a batch writes of its rows
