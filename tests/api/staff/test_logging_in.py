"""Who is given a token of the staff API, what ends it, and what it opens."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User
from knox.models import AuthToken

from backend.accounts.models import TokenGrant
from backend.accounts.scopes import Wide
from backend.api.staff import auth
from backend.bookings.machine import State
from tests.support import api, factor, factories, roles, staff_api
from tests.support.staff_api import (
    BOOKINGS,
    LISTS,
    LOGIN,
    LOGOUT,
    LOGOUT_ALL,
    PASSWORD,
    VIEW,
    Desk,
    account,
    desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def code_of(username: str) -> str:
    """Of an unknown name any."""
    user = User.objects.filter(username=username).first()
    return factor.code_of(user) if user else "123456"


def login(username: str = "desk", password: str = PASSWORD, client: str = "198.51.100.1", **more: str) -> Any:
    body = {"username": username, "password": password, "otp": code_of(username), **more}
    return api.request("POST", LOGIN, data=body, environ={"REMOTE_ADDR": client})


def test_a_log_in_gives_a_token_that_opens_the_api_and_is_stored_as_a_digest_alone(now: datetime) -> None:
    user = account("desk", VIEW, password=PASSWORD)
    body = api.done(login())
    assert set(body) == {"token", "expires_at", "scope"}
    assert body["expires_at"] == "2026-11-23T16:30:00Z"
    api.done(Desk(user, body["token"]).get())
    row = AuthToken.objects.get()
    assert body["token"] not in (row.digest, row.token_key)
    assert len(body["token"]) == 64
    assert User.objects.get().last_login == now


def to_another_password(user: User) -> None:
    user.set_password("another " + PASSWORD)
    user.save()


def by_the_admins_form(user: User) -> None:
    form = AdminPasswordChangeForm(user, {"password1": "another " + PASSWORD, "password2": "another " + PASSWORD})
    assert form.is_valid(), form.errors
    form.save()


def disabled_in_the_admins_form(user: User) -> None:
    form = AdminPasswordChangeForm(user, {"usable_password": "false"})
    assert form.is_valid(), form.errors
    form.save()


@pytest.mark.parametrize("change", [to_another_password, by_the_admins_form, disabled_in_the_admins_form])
def test_a_changed_password_ends_every_token_of_the_account(change: Callable[[User], None]) -> None:
    user, other = account("desk", VIEW, password=PASSWORD), account("other", VIEW, password=PASSWORD)
    token, kept = api.done(login())["token"], api.done(login("other"))["token"]
    change(user)
    assert Desk(user, token).get().status_code == 401
    api.done(Desk(other, kept).get())


def test_who_logs_in_while_the_password_changes_gets_no_token(monkeypatch) -> None:
    user = account("desk", VIEW, password=PASSWORD)

    def checked(request: object, **given: str) -> User | None:
        found = authenticate(request, **given)
        to_another_password(User.objects.get(pk=user.pk))  # the moment after the old one was found right
        return found

    monkeypatch.setattr(auth, "authenticate", checked)
    api.error(login(), 401, "login_failed")
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize(
    ("username", "password"),
    [("desk", "wrong"), ("desk", PASSWORD.strip()), ("nobody", PASSWORD), ("visitor", PASSWORD), ("gone", PASSWORD)],
)
def test_who_is_not_active_staff_with_this_password_gets_401_and_no_token(username: str, password: str) -> None:
    account("desk", VIEW, password=PASSWORD)
    account("visitor", VIEW, is_staff=False, password=PASSWORD)
    account("gone", VIEW, is_active=False, password=PASSWORD)
    response = login(username, password)
    api.error(response, 401, "login_failed")
    assert response["WWW-Authenticate"] == "Token"
    assert not AuthToken.objects.exists()


def test_the_password_alone_or_with_a_used_code_gives_no_token() -> None:
    account("desk", VIEW, password=PASSWORD)
    code = code_of("desk")
    assert api.done(login(otp=code, name="export", scope="act"))["scope"] == "act"
    for wrong in (code, "000000"):
        api.error(login(otp=wrong), 401, "login_failed")
    assert "otp" in api.error(api.post(LOGIN, {"username": "desk", "password": PASSWORD}), 400, "invalid")["errors"]
    assert [(grant.name, grant.scope) for grant in TokenGrant.objects.all()] == [("export", "act")]
    assert AuthToken.objects.count() == 1


FILLED = {"str": "MS-AAAAAA", "slug": "MS-AAAAAA", "int": "4711"}  # what no row has, by the kind that the address wants


def endpoints() -> list[tuple[str, str]]:
    """Every method and address of the staff API that takes a token."""
    found = [
        (method, "/" + re.sub(r"<(\w+):[^>]+>", lambda part: FILLED[part[1]], route))
        for route, pattern in roles.patterns()
        if route.startswith("api/staff/") and pattern.callback.view_class is not auth.Login
        for method in ("GET", "POST")
        if hasattr(pattern.callback.view_class, method.lower())
    ]
    assert len(found) > 20
    return found


@pytest.mark.sqlite_only
def test_a_scope_opens_its_endpoints_and_no_others() -> None:
    user = account("owner", is_superuser=True)
    reads, acts = (Desk(user, staff_api.token(user, scope)) for scope in Wide)
    bare = Desk(user, AuthToken.objects.create(user)[1])
    for method, url in endpoints():
        assert bare.send(method, url).status_code == 401, url
        assert api.request(method, url).status_code == 401, url
        if url not in (LOGOUT, LOGOUT_ALL):
            assert (reads.send(method, url).status_code == 403) is (method == "POST"), url
            assert acts.send(method, url).status_code not in (401, 403), url
    assert reads.post(LOGOUT_ALL).status_code == 403
    api.done(reads.post(LOGOUT))
    api.done(acts.post(LOGOUT_ALL))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "desk"},
        {"password": PASSWORD},
        {"username": "", "password": ""},
        {"username": ["desk"], "password": {"$ne": ""}},
        {"username": "de\x00sk", "password": "x"},
        {"username": "desk", "password": "\ud800"},
        {"username": "x" * 151, "password": "x" * 201},
    ],
)
def test_a_log_in_without_name_and_password_is_400(body: dict[str, Any]) -> None:
    assert api.error(api.post(LOGIN, body), 400, "invalid")["errors"]


def test_a_revoked_token_is_refused_and_another_one_of_the_same_account_goes_on(staff: Desk) -> None:
    other = Desk(staff.user, staff_api.token(staff.user))
    assert api.done(staff.post(LOGOUT)) == {"message": "You are logged out."}
    api.error(staff.get(), 401, "not_authenticated")
    api.error(staff.post(LOGOUT), 401, "not_authenticated")
    api.done(other.get())


def test_logging_out_everywhere_ends_every_token_of_this_account_alone(staff: Desk) -> None:
    other = Desk(staff.user, staff_api.token(staff.user))
    neighbour = desk(username="neighbour")
    api.done(other.post(LOGOUT_ALL))
    for client in (staff, other):
        api.error(client.get(), 401, "not_authenticated")
    api.done(neighbour.get())


def test_a_token_expires_after_a_working_day(staff: Desk, now: datetime, clock: time_machine.Traveller) -> None:
    clock.move_to(now + timedelta(hours=12, seconds=-1))
    api.done(staff.get())
    clock.move_to(now + timedelta(hours=12))
    api.error(staff.get(), 401, "not_authenticated")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        "Token x",
        "Token a b",
        "Basic ZGVzazp4",
        "Bearer x",
        "Token \xff\xfe",
        "Token " + "x" * 4000,
    ],
)
def test_without_a_token_that_is_ours_everything_is_401(header: str, now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    one = f"{BOOKINGS}{booking.acknowledgement_id}/"
    for address in (BOOKINGS, one, *LISTS):
        response = api.get(address, authorization=header)
        api.error(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == "Token"
    for address in (BOOKINGS, f"{one}approve/", f"{one}cancel/", LOGOUT, LOGOUT_ALL):
        api.error(api.post(address, {}, authorization=header), 401, "not_authenticated")


def test_the_tokens_first_letters_alone_open_nothing(staff: Desk) -> None:
    forged = staff.token[:-1] + ("0" if staff.token[-1] != "0" else "1")
    api.error(Desk(staff.user, forged).get(), 401, "not_authenticated")
