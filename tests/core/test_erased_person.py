"""A person planted everywhere: after the erasure no trace of them, save what the answer lists."""

from __future__ import annotations

import json
import logging
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command

from backend.accounts.models import Session
from backend.accounts.sessions import SessionStore
from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.kept_after_erasure import kept
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment, Receipt
from tests.support import admin_site, api, erasures, link_pages, log_lines, planted, sentinels, written_files
from tests.support.database_rows import dump
from workers import timers

pytestmark = pytest.mark.usefixtures("sandbox_payments")
DAY = timedelta(days=1)
BOOKS = (Payment, LedgerEntry, Receipt)
NAME = {"zephyrine", "quillfeather"}  # on their receipts
OTHERS = {"tungsten lullaby", "marzipan1lighthouse", "obsidiankettle"}  # of no visitor
ADDRESS = {*NAME, "leakymail"}
DATABASES = [
    pytest.param("rows", marks=[pytest.mark.sqlite_only, pytest.mark.django_db]),
    pytest.param(
        "backup", marks=[pytest.mark.postgres_only, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
    ),
]


def everything() -> str:
    """All rows of all tables, with sealed texts opened and sessions read, and the file itself as it would be dumped."""
    rows = [row for model in apps.get_models() for row in texts(model)]
    rows += [SessionStore().decode(session.session_data) for session in Session.objects.all()]
    return json.dumps(rows, default=str) + dump()


def texts(model: Any) -> list[Any]:
    return [[getattr(row, field.attname) for field in model._meta.concrete_fields] for row in model._base_manager.all()]


def backup(path: Path) -> str:
    """What whoever has the file can read of it."""
    call_command("backup", "dump", path)
    return subprocess.run(["pg_restore", "--file=-", path], capture_output=True, text=True, check=True).stdout


def words_in(text: str) -> set[str]:
    return sentinels.found_in(text) - OTHERS


def erased(booking: Booking, now: datetime, clock: time_machine.Traveller) -> str:
    """By the pages of the links, as a browser opens them; the link that stopped it answers now."""
    asked = link_pages.press(link_pages.look("/go/data/erase/", erasures.data_token(booking, now=now)))
    link_pages.shown(asked)
    assert booking.client is not None
    request = booking.client.data_requests.get(kind="erasure")
    token = erasures.erasure_token(request)
    assert "Stop it" in link_pages.shown(link_pages.press(link_pages.look("/go/erasure/", token)))
    clock.move_to(now + policy.ERASURE_AFTER)
    timers.erase_people()
    return token


@pytest.mark.parametrize("place", DATABASES)
@pytest.mark.usefixtures("_postgres_tools")
def test_after_an_erasure_no_trace_but_what_the_answer_lists(place: str, now: datetime, tmp_path: Path) -> None:
    with (
        time_machine.travel(now, tick=False) as clock,
        log_lines.collected(level=logging.DEBUG) as lines,
        written_files.watched() as files,
    ):
        desk = admin_site.owner("desk")
        booking, now = planted.everywhere(desk, clock, now)
        assert {row.intent for row in LedgerEntry.objects.all()} == set(Intent)
        assert words_in(everything()) == set(sentinels.WORDS) - OTHERS
        if place == "backup":
            assert words_in(backup(tmp_path / "before.dump")) >= ADDRESS
        books = [list(model.objects.values()) for model in BOOKS]
        token = erased(booking, now, clock)
        assert words_in(everything()) == ADDRESS  # of the last mail
        last = Message.objects.get(kind=Notice.ERASURE_DONE)
        assert last.recipient == sentinels.EMAIL
        said = last.context = delivery.prepare(last, now=now)
        last.frozen_at = now
        assert "link sent again" not in str(delivery.compose(last, {}).message())  # there is nothing to see any more
        Message.objects.filter(pk=last.pk).update(state=MessageState.DONE, settled_at=now)
        timers.blank_messages()
        assert words_in(everything()) == NAME
        assert {m for m in apps.get_models() if words_in(json.dumps(texts(m), default=str))} == {Receipt}
        if place == "backup":
            assert words_in(backup(tmp_path / "after.dump")) == NAME
        page = link_pages.shown(link_pages.look("/go/erasure/", token))
        at = now + policy.ERASURE_AFTER
        for one in kept(at):
            assert f"{one.what}: {one.why}." in page
            assert one._asdict() in said["kept"]
        assert f"deleted by {formatting.long_day(at + policy.BACKUPS_KEPT + DAY)}" in page
        for rows, model in zip(books, BOOKS, strict=True):
            assert [row for row in model.objects.values() if row in rows] == rows
        assert api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}).status_code == 404
        for shown in (admin_site.page_url(booking), admin_site.list_url(Booking), "/admin/"):
            answer = desk.get(shown)
            assert (answer.status_code, words_in(answer.content.decode())) == (200, set())
    assert words_in("\n".join(lines.said)) == words_in("\n".join(lines.written)) == set()
    assert words_in(written_files.texts_of(files)) == set()
