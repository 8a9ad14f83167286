"""The table of mailed links: each opens what it was mailed for, and is unknown everywhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from backend.api.links import urls
from backend.bookings import links
from backend.bookings.lifecycle import erasure_requests
from backend.bookings.machine import State
from backend.bookings.models import Alternative, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from tests.support import api, factories, scenarios
from tests.support.database_rows import everything
from tests.support.link_pages import browser, look

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

OPENS = {
    api.VERIFY: {Purpose.BOOKING},
    api.VERIFY_CANCEL: {Purpose.CANCEL, Purpose.CANCEL_LATE},  # the site's page
    api.MOVE: {Purpose.RESCHEDULE},
    "/go/cancel/": {Purpose.CANCEL, Purpose.CANCEL_LATE},  # and ours
    "/go/reschedule/": {Purpose.RESCHEDULE},
    "/go/alternative/": {Purpose.ALTERNATIVE},
    "/go/pay/": {Purpose.PAY},
    "/go/again/": {Purpose.AGAIN},
    "/go/room/": {Purpose.BOOKING, Purpose.ROOM},
    "/go/calendar/": set(),  # has tokens of its own
    "/go/receipt/": {Purpose.BOOKING},
    "/go/data/": {Purpose.DATA},
    "/go/data/correct/": {Purpose.DATA},
    "/go/data/withdraw/": {Purpose.DATA},
    "/go/data/reminders/": {Purpose.DATA},
    "/go/data/erase/": {Purpose.DATA},
    "/go/erasure/": {Purpose.ERASURE},
}


@pytest.fixture
def tokens(now: datetime) -> dict[Purpose, str]:
    """One of each purpose, of one booking."""
    booking = factories.make_booking(State.CONFIRMED, now=now)
    start = now + timedelta(days=5)
    times = {"slot_start": start, "slot_end": start + timedelta(hours=1), "amount_paise": 1}
    Alternative.objects.create(booking=booking, number=1, psychologist=scenarios.psychologist("Dr. New"), **times)
    uuid = uuid4()
    links.issue(booking, *Purpose, message_uuid=uuid, now=now)
    tokens = {Purpose(name.partition(":")[0]): token for name, token in links.tokens_of(uuid).items()}
    asked = erasure_requests.ask_erasure(tokens[Purpose.DATA], now=now)  # its link speaks of a request, too
    mail = Message.objects.get(kind=Notice.ERASURE_REQUESTED, subject_id=asked.pk)
    return tokens | {Purpose.ERASURE: links.token_of(mail.uuid, Purpose.ERASURE)}


def ask(address: str, token: str) -> HttpResponse:
    return look(address, token) if address.startswith("/go/") else api.get(address, {"token": token})


def act(address: str, token: str) -> HttpResponse:
    if address.startswith("/go/"):
        return browser().post(address, {"token": token})
    chosen = {"psychologist": 1, "start": "2026-11-30T10:00:00+05:30"} if address == api.MOVE else {}
    return api.post(address, {"token": token, **chosen})


def operations_with_a_token(schema: dict[str, Any]) -> set[str]:
    """The addresses of the API that take one, in the query or in the body."""
    shapes = schema["components"]["schemas"]
    taking = {
        f"#/components/schemas/{name}" for name, shape in shapes.items() if "token" in shape.get("properties", {})
    }
    found = set()
    for address, methods in schema["paths"].items():
        for operation in methods.values():
            named = {parameter["name"] for parameter in operation.get("parameters", [])}
            bodies = operation.get("requestBody", {}).get("content", {}).values()
            if "token" in named or any(body["schema"].get("$ref") in taking for body in bodies):
                found.add(address)
    return found


def test_every_purpose_has_its_row_and_every_address_that_takes_a_token_its_column() -> None:
    assert set().union(*OPENS.values()) == set(Purpose)
    pages = {f"/{pattern.pattern}" for pattern in urls.urlpatterns if not str(pattern.pattern).startswith("^")}
    assert pages | operations_with_a_token(api.done(api.get("/api/schema/"))) == set(OPENS)


@pytest.mark.parametrize("address", OPENS)
def test_a_link_is_known_where_it_was_mailed_for_and_nowhere_else(address: str, tokens: dict[Purpose, str]) -> None:
    unchanged = everything()
    opened = {purpose for purpose, token in tokens.items() if ask(address, token).status_code != 404}
    assert opened == OPENS[address]
    assert everything() == unchanged
    for purpose in set(Purpose) - opened:
        assert act(address, tokens[purpose]).status_code == 404
    assert everything() == unchanged
