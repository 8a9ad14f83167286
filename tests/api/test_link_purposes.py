"""The table of mailed links: each opens what it was mailed for, and is unknown everywhere else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from backend.api.links import urls
from backend.bookings import links
from backend.bookings.machine import State
from backend.bookings.models import Alternative, Purpose
from tests.support import api, factories, scenarios
from tests.support.database_rows import everything
from tests.support.link_pages import browser, look

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

OPENS = {
    Purpose.BOOKING: api.VERIFY,
    Purpose.CANCEL: api.VERIFY_CANCEL,
    Purpose.CANCEL_LATE: api.VERIFY_CANCEL,
    Purpose.RESCHEDULE: "/go/reschedule/",
    Purpose.ALTERNATIVE: "/go/alternative/",
    Purpose.AGAIN: "/go/again/",
    Purpose.DATA: "/go/data/",
}
ALSO = {Purpose.CANCEL: "/go/cancel/", Purpose.CANCEL_LATE: "/go/cancel/"}  # the site's page and ours
ADDRESSES = sorted({*OPENS.values(), *ALSO.values()})


@pytest.fixture
def tokens(now: datetime) -> dict[Purpose, str]:
    """One of each purpose, of one booking."""
    booking = factories.make_booking(State.CONFIRMED, now=now)
    start = now + timedelta(days=5)
    times = {"slot_start": start, "slot_end": start + timedelta(hours=1), "amount_paise": 1}
    Alternative.objects.create(booking=booking, number=1, psychologist=scenarios.psychologist("Dr. New"), **times)
    uuid = uuid4()
    links.issue(booking, *Purpose, message_uuid=uuid, now=now)
    return {Purpose(name.partition(":")[0]): token for name, token in links.tokens_of(uuid).items()}


def ask(address: str, token: str) -> HttpResponse:
    return look(address, token) if address.startswith("/go/") else api.get(address, {"token": token})


def act(address: str, token: str) -> HttpResponse:
    if address.startswith("/go/"):
        return browser().post(address, {"token": token})
    return api.post(address, {"token": token})


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
    assert set(OPENS) == set(Purpose)
    pages = {f"/{pattern.pattern}" for pattern in urls.urlpatterns if not str(pattern.pattern).startswith("^")}
    assert pages | operations_with_a_token(api.done(api.get("/api/schema/"))) == set(ADDRESSES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_link_is_known_where_it_was_mailed_for_and_nowhere_else(address: str, tokens: dict[Purpose, str]) -> None:
    unchanged = everything()
    opened = {purpose for purpose, token in tokens.items() if ask(address, token).status_code != 404}
    assert opened == {purpose for purpose in Purpose if address in (OPENS[purpose], ALSO.get(purpose))}
    assert everything() == unchanged
    for purpose in set(Purpose) - opened:
        assert act(address, tokens[purpose]).status_code == 404
    assert everything() == unchanged
