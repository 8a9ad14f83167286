"""A person planted everywhere: after the erasure no trace of them, save what the answer lists."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.test import Client as Browser

from backend.accounts.models import Session
from backend.accounts.sessions import SessionStore
from backend.bookings import policy
from backend.bookings.kept_after_erasure import KEPT
from backend.bookings.lifecycle import front_desk
from backend.bookings.lifecycle.cancellation import RefundChoice, cancel_by_staff
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import Payment, Receipt, RefundState
from tests.support import admin_site, api, erasures, factories, link_pages, log_lines, scenarios, sentinels
from tests.support.database_rows import dump
from workers import timers

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
DAY = timedelta(days=1)
BOOKS = (Payment, LedgerEntry, Receipt)
NAME = {"zephyrine", "quillfeather"}  # on their receipt
OTHERS = {"tungsten lullaby", "marzipan1lighthouse", "obsidiankettle", "opalgrotto"}  # of no visitor


def planted(desk: Browser, now: datetime) -> Booking:
    """Every way in which words of a person come to us, and every hand through which they go."""
    booking = scenarios.confirmed(sentinels.EMAIL, now=now, **sentinels.DRAFT)
    factories.make_enquiry(now=now, subject=sentinels.ENQUIRY, text=f"{sentinels.ENQUIRY}, {sentinels.EMAIL}")
    scenarios.submitted(sentinels.EMAIL, now=now, **sentinels.DRAFT)
    for page in (admin_site.page_url(booking), f"{admin_site.list_url(Booking)}?q=Zephyrine"):
        assert desk.get(page).status_code == 200
    client = scenarios.again(booking).client
    client.city = "Quixhaven West"
    client.save()
    booking.guardian_name = sentinels.GUARDIAN
    booking.save(update_fields=["guardian_name"])
    cancel_by_staff(
        booking.pk, note_to_visitor=sentinels.NOTE, refund=RefundChoice.NONE, refund_reason=sentinels.REASON,
        actor="staff:desk", now=now,
    )  # fmt: skip
    factories.make_refund(Payment.objects.get(booking=booking), now=now, amount_paise=1, state=RefundState.DONE)
    front_desk.create_by_staff(
        scenarios.draft_of(sentinels.EMAIL, now=now, **sentinels.DRAFT), actor="staff:desk", now=now
    )
    for later in Booking.objects.filter(email=sentinels.EMAIL, state="PENDING"):
        scenarios.staff.reject(later.pk, note_to_visitor=sentinels.NOTE, actor="staff:desk", now=now)
    for message in Message.objects.filter(state=MessageState.WAITING, queue=Queue.MAIL):
        said = delivery.prepare(message, now=now)
        Message.objects.filter(pk=message.pk).update(last_error=f"550 no such user {message.recipient}")
        if said is not None:
            kept = Message.objects.get(pk=message.pk)
            kept.context = said
            kept.save(update_fields=["context"])
    return scenarios.again(booking)


def everything() -> str:
    """All rows of all tables, with sealed texts opened and sessions read, and the file itself as it would be dumped."""
    rows = [row for model in apps.get_models() for row in texts(model)]
    rows += [SessionStore().decode(session.session_data) for session in Session.objects.all()]
    return json.dumps(rows, default=str) + dump()


def texts(model: Any) -> list[Any]:
    return [[getattr(row, field.attname) for field in model._meta.concrete_fields] for row in model._base_manager.all()]


def words_in(text: str) -> set[str]:
    return sentinels.found_in(text) - OTHERS


def erased(booking: Booking, now: datetime, clock: time_machine.Traveller) -> str:
    """By the pages of the links, as a browser opens them; the link that stopped it answers now."""
    asked = link_pages.press(link_pages.look("/go/data/erase/", erasures.data_token(booking, now=now)))
    link_pages.shown(asked)
    request = booking.client.data_requests.get()
    token = erasures.erasure_token(request)
    assert "Stop it" in link_pages.shown(link_pages.press(link_pages.look("/go/erasure/", token)))
    clock.move_to(now + policy.ERASURE_AFTER)
    timers.erase_people()
    return token


def test_after_an_erasure_no_trace_but_what_the_answer_lists(now: datetime) -> None:
    with time_machine.travel(now, tick=False) as clock, log_lines.collected(level=logging.DEBUG) as lines:
        desk = admin_site.owner("desk")
        booking = planted(desk, now)
        assert words_in(everything()) == set(sentinels.WORDS) - OTHERS
        books = [list(model.objects.values()) for model in BOOKS]
        token = erased(booking, now, clock)
        assert words_in(everything()) == {*NAME, "leakymail"}  # the address of the last mail
        last = Message.objects.get(kind=Notice.ERASURE_DONE)
        assert last.recipient == sentinels.EMAIL
        said = last.context = delivery.prepare(last, now=now)
        last.frozen_at = now
        assert "link sent again" not in str(delivery.compose(last, {}).message())  # there is nothing to see any more
        Message.objects.filter(pk=last.pk).update(state=MessageState.DONE, settled_at=now)
        timers.blank_messages()
        assert words_in(everything()) == NAME
        assert {m for m in apps.get_models() if words_in(json.dumps(texts(m), default=str))} == {Receipt}
        page = link_pages.shown(link_pages.look("/go/erasure/", token))
        for one in KEPT:
            assert f"{one.what}: {one.why}." in page
            assert {"what": one.what, "why": one.why} in said["kept"]
        for kept, model in zip(books, BOOKS, strict=True):
            assert [row for row in model.objects.values() if row in kept] == kept
        assert api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}).status_code == 404
        for place in (admin_site.page_url(booking), admin_site.list_url(Booking), "/admin/"):
            answer = desk.get(place)
            assert (answer.status_code, words_in(answer.content.decode())) == (200, set())
    assert words_in("\n".join(lines.said)) == words_in("\n".join(lines.written)) == set()
