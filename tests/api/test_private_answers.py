"""No answer about a person is kept by a cache or names its address to another host.

Those behind a log-in are asked the same on every address by `tests/accounts/test_roles.py`.
"""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from django.test import Client as Browser

from tests.support import api, roles, scenarios

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OFFERS = ("api/info/", "api/slots/", "api/psychologists/")  # the same for everybody, and of nobody who asks
PRIVATE = [route for route in roles.public_rows() if route.startswith(("api/", "^go", "go/")) and route not in OFFERS]


@pytest.mark.parametrize("route", PRIVATE)
def test_what_a_stranger_is_answered_is_private(route: str) -> None:
    url = "/go/nowhere/" if route.startswith("^go") else "/" + re.sub(r"<[^>]+>", "1", route)
    for answer in (Browser().get(url), Browser().post(url)):
        assert "no-store" in answer.get("Cache-Control", ""), url
        assert answer.get("Referrer-Policy") == "no-referrer", url


def test_what_a_visitor_reads_of_a_booking_is_private(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    answer = api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id})
    assert (answer.status_code, answer["Cache-Control"], answer["Referrer-Policy"]) == (200, "no-store", "no-referrer")
