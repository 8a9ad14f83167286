"""What programs read of us keeps its shape: docs/shapes.yaml holds it, and only what is added may be new.

`TEST_WRITE_DOCS=1` adds what is new; what is gone or of another type has to be taken out of the file by hand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import yaml

from backend.api import schema
from backend.bookings.models import Booking
from backend.people.models import Language
from tests.support import api, every_answer, scenarios, staff_api
from tests.support.json_shapes import both, broken, shape_of
from tests.support.server import ROOT
from tests.support.staff_api import STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
KEPT = ROOT / "docs" / "shapes.yaml"
LISTS = (
    *("psychologists", "locations", "corporates", "clients", "languages", "payments", "refunds", "held-slots"),
    *("data-requests", "closed-days", "messages", "ledger", "events", "to-tell"),
)


def answers(now: datetime) -> Iterator[tuple[str, Any]]:
    """One life of a booking, and what is answered on the way."""
    yield "POST api/bookings/draft/", api.done(api.post(api.DRAFT, api.form(now)), 201)
    token = scenarios.token_of(Booking.objects.get())
    yield "POST api/bookings/verify-email/", api.done(api.post("/api/bookings/verify-email/", {"token": token}))
    user = staff_api.account("owner", is_superuser=True)
    desk, booking = Desk(user, staff_api.token(user)), Booking.objects.get()
    yield from _reads(booking, "PENDING")
    who = scenarios.psychologist()
    sent = {"psychologist_id": who.pk, "slot_start": scenarios.slot_tomorrow(now).isoformat()}
    yield "POST api/staff/bookings/<id>/approve/", api.done(desk.act(booking, "approve", sent))
    began = api.done(api.post("/api/bookings/initiate-payment/", {"acknowledgement_id": str(booking)}))
    yield "POST api/bookings/initiate-payment/", began
    yield from _reads(booking, "PAYMENT_PENDING")
    api.done(desk.act(booking, "desk-payment"))
    yield from _reads(booking, "CONFIRMED")
    yield "POST api/bookings/verify-email/", api.done(api.post("/api/bookings/verify-email/", {"token": token}))
    asked = api.post("/api/bookings/request-cancellation/", {"acknowledgement_id": str(booking)})
    yield "POST api/bookings/request-cancellation/", api.done(asked, 202)
    yield "an error", api.error(api.post("/api/bookings/check-status/", {"email": "x"}), 400, "invalid")
    yield "GET api/info/", api.done(api.get("/api/info/"))
    yield from _of_staff(desk, booking)
    yield from every_answer.of_visitors(now)
    yield from every_answer.of_staff(now)


def _reads(booking: Booking, state: str) -> Iterator[tuple[str, Any]]:
    shown = api.done(api.get("/api/bookings/check-status/", {"acknowledgement_id": str(booking)}))
    assert shown["status"] == state
    yield "GET api/bookings/check-status/", shown


def _of_staff(desk: Desk, booking: Booking) -> Iterator[tuple[str, Any]]:
    Language.objects.create(name="Hindi")
    api.done(desk.post(f"{STAFF}closed-days/", {"weekday": 6}), 201)
    yield "GET api/staff/bookings/", api.done(desk.get())
    items = {"items": [{"acknowledgement_id": str(booking)}, {"acknowledgement_id": "MS-ZZZZZZ"}]}
    yield "POST api/staff/bookings/many/cancel/", api.done(desk.post(f"{STAFF}bookings/many/cancel/", items))
    yield "GET api/staff/bookings/<id>/", api.done(desk.get(f"{booking}/"))
    for name in LISTS:
        yield f"GET api/staff/{name}/", api.done(desk.get(f"{STAFF}{name}/"))


def test_no_answer_loses_a_member_or_changes_its_type(now: datetime) -> None:
    found: dict[str, Any] = {}
    for name, body in answers(now):
        shape = shape_of(body)
        found[name] = both(found[name], shape) if name in found else shape
    kept = yaml.safe_load(KEPT.read_text()) if KEPT.exists() else {}
    faults = [fault for name in kept for fault in broken(kept[name], found[name], name)]
    assert not faults, "\n".join(faults)
    whole = {name: both(kept[name], found[name]) if name in kept else found[name] for name in sorted({*kept, *found})}
    if "TEST_WRITE_DOCS" in os.environ:
        KEPT.write_text(yaml.safe_dump(whole, sort_keys=False, width=120))
    assert kept == whole or "TEST_WRITE_DOCS" in os.environ, "new members: run with TEST_WRITE_DOCS=1, and look at them"


OF_SERVICES = " api/hooks/"  # who reports there needs no more of the answer than its status


def test_a_shape_is_kept_of_every_answer_that_is_described() -> None:
    kept, answers = yaml.safe_load(KEPT.read_text()), dict(described())
    whole = {answers[name] for name in kept if name in answers}
    assert set(kept) <= {*answers, "an error"}
    assert [name for name, answer in answers.items() if answer not in whole and OF_SERVICES not in name] == []


def described() -> Iterator[tuple[str, str]]:
    """Each operation as the file names it, and its answer; a sparse one is of the same members."""
    for is_staffs in (False, True):
        for path, methods in schema.part(is_staffs=is_staffs)["paths"].items():
            for method, operation in methods.items():
                [body] = [one["content"] for status, one in operation["responses"].items() if status != "default"]
                name = body["application/json"]["schema"]["$ref"].rpartition("/")[2]
                yield f"{method.upper()} {re.sub(r'{[a-z_]+}', '<id>', path[1:])}", name.removeprefix("Some")


@pytest.mark.parametrize(
    ("now_answered", "said"),
    [
        ({"a": 1, "b": [{"c": "x"}]}, []),
        ({"a": 1, "b": [{"c": "x", "d": 1}], "e": None}, []),
        ({"b": [{"c": "x"}]}, [".a is gone"]),
        ({"a": "1", "b": [{"c": "x"}]}, [".a was number, is text"]),
        ({"a": None, "b": [{"c": "x"}]}, [".a was number, is null"]),
        ({"a": 1, "b": [{}]}, [".b[].c is gone"]),
        ({"a": 1, "b": {}}, [".b was a list, is an object"]),
    ],
)
def test_what_would_break_a_client_is_told(now_answered: Any, said: list[str]) -> None:
    assert broken(shape_of({"a": 1, "b": [{"c": "x"}]}), shape_of(now_answered)) == said
