"""The scopes of a token: what each endpoint needs, and what who lacks it is told."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from backend.accounts.scopes import Area
from backend.api.staff.auth import Login, Logout, area_of
from backend.api.staff.schema import StaffSchema
from tests.support import api, roles, scenarios, staff_api
from tests.support.staff_api import STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_every_endpoint_names_the_area_that_opens_it() -> None:
    for route, pattern in roles.patterns():
        view = getattr(pattern.callback, "view_class", None)
        if route.startswith("api/staff/") and view not in (Login, Logout, StaffSchema):
            assert area_of(view) in Area, route


def test_a_token_opens_its_area_alone_and_the_refusal_names_what_is_missing(now: datetime) -> None:
    booking, owner = scenarios.confirmed(now=now), staff_api.account("owner", is_superuser=True)
    desk = Desk(owner, staff_api.token(owner, "bookings:write practice:read"))
    api.done(desk.get(f"{booking}/"))
    api.done(desk.get(f"{STAFF}psychologists/"))
    said = api.error(desk.act(booking, "refund"), 403, "scope_missing")
    assert said["detail"] == "This token may not do this: it lacks the scope payments:write."
    assert api.done(desk.act(booking, "cancel"))["status"] == "CANCELLED"


def test_a_scope_widens_nothing_that_the_account_may_not(now: datetime) -> None:
    booking, account = scenarios.pending(now=now), staff_api.account("desk", staff_api.VIEW)
    desk = Desk(account, staff_api.token(account, "act"))
    api.error(desk.act(booking, "reject"), 404, "not_found")


@pytest.mark.parametrize("scope", ["bookings:read payments:write", "read", "act"])
def test_a_log_in_takes_the_scopes_that_it_names(scope: str) -> None:
    assert re.fullmatch(_pattern(), scope)


@pytest.mark.parametrize("scope", ["", "all", "bookings", "bookings:read  read", 1, None])
def test_a_log_in_takes_no_other(scope: object) -> None:
    body = {"username": "desk", "password": "x", "otp": "123456", "scope": scope}
    assert "scope" in api.error(api.post(f"{STAFF}login/", body), 400, "invalid")["errors"]


def _pattern() -> str:
    from backend.api import schema

    found: str = schema.part(is_staffs=True)["components"]["schemas"]["LoginRequest"]["properties"]["scope"]["pattern"]
    return found
