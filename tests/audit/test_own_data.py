"""*Your data*: a mailed link shows a person all that is kept of them, and nothing of anybody else."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.audit import own_data
from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import to_text
from backend.bookings import links, policy
from backend.bookings.lifecycle import erasure_requests, visitor
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.channels import consents
from backend.channels.models import Purpose as ConsentPurpose
from backend.channels.names import ChannelName
from backend.core.personal_data import personal_columns
from backend.notifications import delivery
from backend.outbox import mailboxes
from backend.outbox.models import ClosedMailbox, Delivery, Message, Queue
from tests.support import scenarios
from tests.support.link_pages import browser, look, shown
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
DATA = "/go/data/"


def token_of(booking: Booking, now: datetime) -> str:
    visitor.request_link(booking.email, now=now)
    return scenarios.token_of(booking, Notice.LINK_REQUESTED, Purpose.DATA)


def file_of(token: str) -> dict[str, list[dict[str, Any]]]:
    answer = browser().post(DATA, {"token": token})
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert answer["Content-Disposition"].startswith("attachment")
    found: dict[str, list[dict[str, Any]]] = json.loads(answer.content)
    return found


def test_every_table_about_people_is_given_or_said_not_to_be() -> None:
    about_people = {model._meta.label for model in apps.get_models() if personal_columns(model)}
    given = {model._meta.label for model in own_data.TABLES.values()}
    assert given | set(own_data.NOT_GIVEN) == about_people
    assert not given & set(own_data.NOT_GIVEN)


def test_the_file_holds_every_column_that_is_classified_as_personal(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    token = token_of(booking, now)
    erasure_requests.ask_erasure(token, now=now)
    ClosedMailbox.objects.create(mailbox=mailboxes.mailbox_of(ASHA), why=Delivery.BOUNCED, since=now)
    text = {"queue": Queue.CALLS, "kind": "text:sms:session_imminent", "booking_id": booking.pk, "dedupe_key": "by:1"}
    Message.objects.create(**text, created_at=now, not_before=now, next_attempt_at=now, delivery=Delivery.DELIVERED)
    consents.choose(
        booking.client_id or 0,
        ConsentPurpose.REMINDERS,
        ChannelName.SMS,
        phone_number=booking.phone_number,
        by="visitor",
        notice_version="",
        now=now,
    )
    found = file_of(token)
    for title, model in own_data.TABLES.items():
        assert found[title], title
        for row in found[title]:
            assert set(personal_columns(model)) <= set(row), title
    (request,) = found["requests and sessions"]
    assert (request["user_message"], request["emergency_contact"]) == (booking.user_message, booking.emergency_contact)
    assert (request["notice_version"], request["payment_status"]) == (booking.notice_version, "paid")
    assert {row["recipient"] for row in found["emails to you"]} == {ASHA}
    (told,) = found["texts to your telephone"]
    assert (told["channel"], told["kind"], told["delivery"]) == ("sms", "session_imminent", "delivered")


def test_the_page_says_the_same_and_nothing_of_anybody_else(now: datetime) -> None:
    scenarios.pending(RAVI, now=now, full_name="Ravi Menon", user_message="Of somebody else.")
    booking = scenarios.pending(now=now)
    token = token_of(booking, now)
    page = shown(look(DATA, token), 200)
    for text in (page, json.dumps(file_of(token))):
        assert "Asha Rao" in text
        assert booking.user_message in text
        assert "Ravi" not in text
        assert "somebody else" not in text


def test_the_page_says_in_words_what_the_file_holds_as_codes(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, gender="PREFER_NOT_TO_SAY")
    token = token_of(booking, now)
    page, (kept,) = shown(look(DATA, token), 200), file_of(token)["requests and sessions"]
    assert (kept["mode"], kept["amount_paise"], kept["psychologist"]) == ("ONLINE", 150_000, "Dr. Meera Iyer")
    for said in (
        "How the session is held Online",
        "Amount ₹1,500.00",
        "Comes first no",
        "Gender Prefers not to say",
        "Kind session confirmed",
        "Dr. Meera Iyer",
    ):
        assert said in page, said
    for code in ("PREFER_NOT_TO_SAY", "CONFIRMED", "booking_confirmed", "150000"):
        assert code not in page, code


def test_who_read_is_told_and_reading_ones_own_is_no_reading(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = token_of(booking, now)
    AccessRecord.objects.create(
        at=now, actor="staff:meera", kind=Kind.OPENED, shown=to_text({"booking.user_message": [booking.pk]})
    )
    for _ in range(2):
        (reading,) = file_of(token)["who read of you, in the last 365 days"]
        assert reading["what"] == ["user_message"]
        assert "meera" in reading["who"]
    assert AccessRecord.objects.count() == 1


def test_the_link_works_for_a_day_and_no_other_link_opens_the_page(now: datetime, clock: Any) -> None:
    booking = scenarios.pending(now=now)
    token = token_of(booking, now)
    shown(look(DATA, scenarios.token_of(booking, Notice.LINK_REQUESTED)), 404)
    clock.move_to(now + policy.DATA_LINK_LIFETIME)
    shown(look(DATA, token), 410)
    shown(browser().post(DATA, {"token": token}), 410)


def test_who_was_here_long_ago_is_mailed_the_link_and_a_stranger_is_not(now: datetime, clock: Any) -> None:
    """At the same cost: how long the answer takes must not tell who was here."""
    booking, costs = scenarios.rejected(now=now), []
    later = now + policy.LINK_KEPT_AFTER_CLOSE
    clock.move_to(later)
    for address in (booking.email, RAVI):
        with CaptureQueriesContext(connection) as asked:
            visitor.request_link(address, now=later)
        costs.append(len([query for query in asked if "SAVEPOINT" not in query["sql"]]))
    known, unknown = Message.objects.filter(kind=Notice.NOTHING_OPEN).order_by("pk")
    assert (known.recipient, unknown.recipient, costs[0]) == (booking.email, RAVI, costs[1])
    bodies = []
    for message in (known, unknown):
        message.context, message.frozen_at = delivery.prepare(message, now=later), later
        mail = delivery.compose(message, links.tokens_of(message.uuid))
        bodies.append([str(mail.body), str(mail.alternatives[0].content)])
    assert all("/go/data/?token=" in body for body in bodies[0])
    assert not any("token" in body for body in bodies[1])
    assert "Asha Rao" in shown(look(DATA, links.token_of(known.uuid, Purpose.DATA)), 200)
