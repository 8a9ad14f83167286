"""*Your data* in the language of its reader: tables, columns and codes; names and texts stay as they were typed."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from django.test import Client
from django.utils import translation

from backend.api.links import data_page, data_words
from backend.audit import own_data
from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import to_text
from backend.bookings.lifecycle import visitor
from backend.bookings.models import Purpose, RequestKind, RequestState
from backend.bookings.notices import Notice, is_to_us
from backend.channels import consents
from backend.channels.models import Purpose as ConsentPurpose
from backend.channels.names import ChannelName
from backend.core.personal_data import personal_columns
from backend.notifications import delivery
from backend.outbox import mailboxes
from backend.outbox.models import ClosedMailbox, Delivery, Message
from tests.support import latin, scenarios
from tests.support.factories import make_data_request
from tests.support.scenarios import ASHA

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
TYPED = (
    *("Asha Rao", "Asha", "Pune", "Maharashtra", "India", "Vikram Rao", "I would like to talk to someone."),
    *("MindSettler", "Dr. Meera Iyer", "meera", "INR", "English", "Booking"),
)


OF_MESSAGES: dict[str, tuple[str, ...]] = {
    "emails to you": (),
    "texts to your telephone": ("channel", "delivery", "delivery_at"),
}


def codes(table: str) -> dict[str, str]:
    """Every label that the page can show of it, by column."""
    found = data_page._codes(table)
    shown = {field.name for field in own_data.TABLES[table]._meta.concrete_fields} | {"payment_status"}
    if table in OF_MESSAGES:
        shown = {"kind", "state", *personal_columns(Message), *OF_MESSAGES[table]}
    return {
        f"{column}={code}": str(label)
        for column in sorted(shown - {*data_page._LANGUAGES})
        for code, label in found.get(column, {}).items()
        if not (code in list(Notice) and is_to_us(Notice(code)))
    }


@pytest.mark.parametrize("table", own_data.TABLES)
def test_every_title_column_and_code_has_its_word_in_hindi(table: str) -> None:
    """Red: name it in `api/links/data_words.py`, and run `make messages`."""
    model = own_data.TABLES[table]
    columns = {field.name for field in model._meta.concrete_fields}
    if table in OF_MESSAGES:
        columns = {"kind", "created_at", "state", "settled_at", *personal_columns(Message), *OF_MESSAGES[table]}
    assert columns - {*data_words.COLUMNS} == set()
    assert {*codes(table).values()} - data_words.WORDS == set()


def test_what_was_done_by_readers_has_its_word() -> None:
    assert {Kind(kind).label for kind in ("opened", "searched", "exported", "revealed")} <= data_words.WORDS
    assert {"at", "who", "act", "what", "row"} <= {*data_words.COLUMNS}


def everything(now: datetime) -> str:
    """The token of somebody who has a row in each table."""
    booking = scenarios.confirmed(now=now, language="hi", time_zone="Asia/Kolkata")
    visitor.request_link(booking.email, now=now)
    with translation.override("hi"):
        for mail in Message.objects.exclude(kind=Notice.DRAFT_SUBMITTED):
            if mail.recipient and (words := delivery.prepare(mail, now=now)) is not None:
                mail.context, mail.frozen_at = words, now
                mail.save()
    asked = {"kind": RequestKind.CORRECTION, "changed": "phone_number city", "asked_by": "visitor"}
    make_data_request(RequestState.DONE, booking=booking, now=now, **asked)
    ClosedMailbox.objects.create(mailbox=mailboxes.mailbox_of(ASHA), why=Delivery.BOUNCED, since=now)
    consents.choose(
        booking.client_id or 0,
        ConsentPurpose.REMINDERS,
        ChannelName.WHATSAPP,
        phone_number=booking.phone_number,
        by="visitor",
        notice_version="2026-11-28",
        now=now,
    )
    text = {"kind": "text:sms:session_imminent", "booking_id": booking.pk, "delivery": Delivery.DELIVERED}
    Message.objects.create(
        queue="calls", dedupe_key="by:1", created_at=now, not_before=now, next_attempt_at=now, **text
    )
    shown = to_text({"booking.user_message": [booking.pk], "booking.row": [booking.pk]})
    AccessRecord.objects.create(at=now, actor="staff:meera", kind=Kind.OPENED, shown=shown)
    return scenarios.token_of(booking, Notice.LINK_REQUESTED, Purpose.DATA)


def test_no_english_is_left_on_the_page_with_a_row_of_each_table(now: datetime) -> None:
    html = Client().get(f"/go/data/?token={everything(now)}&language=hi").content.decode()
    assert "कुछ नहीं।" not in html  # no table is empty
    assert latin.words(latin.of_html(html), *TYPED) == []


def test_the_file_is_the_same_in_every_language(now: datetime) -> None:
    token = everything(now)
    english, hindi = (
        json.loads(Client().post(f"/go/data/?language={code}", {"token": token}).content) for code in ("en", "hi")
    )
    assert english == hindi
    assert hindi["who read of you, in the last 365 days"][0]["act"] == "Opened"


@pytest.mark.parametrize("page", ["correct/", "withdraw/", "reminders/", "erase/"])
def test_no_english_is_left_on_the_pages_that_it_leads_to(page: str, now: datetime, settings) -> None:
    settings.WHATSAPP_TOKEN = settings.MSG91_AUTH_KEY = settings.CUSTOM_CHANNEL_URL = "of tests"
    html = Client().get(f"/go/data/{page}?token={everything(now)}&language=hi").content.decode()
    assert latin.words(latin.of_html(html), *TYPED) == []
