"""How often passwords are looked at: one policy for the log-in page and the API. What is counted is every hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from backend.api.models import LookupMiss
from backend.audit.models import AccessRecord, Kind
from backend.core.errors import Refused
from tests.support import api, factor, staff_api
from tests.support.staff_api import PASSWORD, STAFF

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PAGE, LOGIN = "/admin/login/", f"{STAFF}login/"
_SAME = re.compile(r'value="\w{64}"|"correlation_id": ?"[^"]*"')  # what differs between two answers in any case
REFUSED, HERE = "Too many log-ins failed", "198.51.100.1"
Door = Callable[..., Any]


@pytest.fixture
def owner() -> User:
    return staff_api.account("asha", is_superuser=True, password=PASSWORD)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed; the hash itself is quick in tests."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(hasher: MD5PasswordHasher, password: str, *rest: Any, **more: Any) -> str:
        seen.append(password)
        return encode(hasher, password, *rest, **more)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return seen


def page(username: str = "asha", password: str = "wrong", network: str = HERE) -> str:
    """What the log-in page says; empty: in."""
    typed = {"username": username, "password": password, "next": "/admin/"}
    answer = Browser().post(PAGE, typed, REMOTE_ADDR=network)
    return "" if answer.status_code == 302 else answer.content.decode()


def program(username: str = "asha", password: str = "wrong", network: str = HERE) -> str:
    user = User.objects.filter(username=username).first()
    otp = factor.code_of(user) if user and password == PASSWORD else "123456"
    body = {"username": username, "password": password, "otp": otp}
    answer = api.request("POST", LOGIN, data=body, environ={"REMOTE_ADDR": network})
    return "" if answer.status_code == 200 else answer.content.decode()


DOORS = pytest.mark.parametrize("door", [page, program])


def guess(username: str, network: str) -> bool:
    """Whether a wrong password is looked at, without the page that says so."""
    request = RequestFactory().post(PAGE, REMOTE_ADDR=network)
    try:
        return authenticate(request, username=username, password="wrong") is None
    except Refused:
        return False


def test_of_a_thousand_wrong_passwords_from_one_network_twenty_are_looked_at(owner: User, hashed: list[str]) -> None:
    doors = [page, program] * 15
    told = [door(password=f"guess {number}") for number, door in enumerate(doors)]
    assert [REFUSED in text for text in told] == [False] * 20 + [True] * 10
    assert not any(guess(f"name {number % 50}", HERE) for number in range(970))
    assert len(hashed) == 20
    for door in (page, program):
        assert REFUSED in door(password=PASSWORD)
        assert door(password=PASSWORD, network="198.51.100.2") == ""


def test_from_two_hundred_networks_at_one_account_few_are_looked_at_and_its_owner_enters(
    owner: User, hashed: list[str]
) -> None:
    looked_at = sum(guess("asha", f"203.0.113.{number}") for number in range(200) for _ in range(4))
    assert len(hashed) == looked_at == 20 + 2 * (200 - 5)
    for door, network in ((page, HERE), (program, "198.51.100.2")):
        assert REFUSED not in door(password="mistyped", network=network)
        assert door(password=PASSWORD, network=network) == ""
        assert REFUSED not in door(password="mistyped", network=network)
        assert REFUSED in door(password=PASSWORD, network=network)


def test_after_the_hour_passwords_are_looked_at_again(
    owner: User, now: datetime, clock: time_machine.Traveller
) -> None:
    for _ in range(21):
        page()
    answer = api.request(
        "POST", LOGIN, data={"username": "asha", "password": PASSWORD, "otp": "123456"}, environ={"REMOTE_ADDR": HERE}
    )
    api.error(answer, 429, "too_many_logins")
    assert answer["Retry-After"] == "1800"
    stopped = Browser().post(PAGE, {"username": "asha", "password": PASSWORD}, REMOTE_ADDR=HERE)
    assert (stopped.status_code, stopped["Retry-After"]) == (429, "1800")
    clock.move_to(now + timedelta(minutes=30))
    assert page(password=PASSWORD) == ""


@DOORS
def test_good_log_ins_count_nothing(door: Door, owner: User) -> None:
    for _ in range(2 if door is program else 25):  # an app's code is taken once
        assert door(password=PASSWORD) == ""
    assert set(LookupMiss.objects.values_list("count", flat=True)) == {0}


@DOORS
@pytest.mark.parametrize("username", ["asha", "nobody", "invited", "gone"])
def test_an_unknown_name_costs_and_is_answered_what_a_known_one_is(
    door: Door, owner: User, hashed: list[str], username: str, django_assert_num_queries: Any
) -> None:
    staff_api.account("invited")  # no password yet
    staff_api.account("gone", is_active=False, password=PASSWORD)
    door("somebody")
    with CaptureQueriesContext(connection) as unknown:
        said = door("somebody else")
    hashed.clear()
    with django_assert_num_queries(len(unknown)):
        text = door(username)
    assert len(hashed) == 1
    assert _SAME.sub("", text) == _SAME.sub("", said)


@DOORS
def test_every_failure_and_the_stop_are_recorded_without_what_was_typed(door: Door, owner: User) -> None:
    staff_api.account("visitor", is_staff=False, password=PASSWORD)
    for name in ["asha", "zephyrine", "asha"]:
        door(name)
    door("visitor", PASSWORD)
    for _ in range(19):
        door()
    found = AccessRecord.objects.exclude(kind=Kind.RIGHTS_CHANGED).order_by("pk")
    assert [row.kind for row in found] == [Kind.LOGIN_FAILED] * 20 + [Kind.LOGINS_STOPPED]
    where = "admin:login" if door is page else "api/staff/login/"
    assert {(row.actor, row.page) for row in found} == {("stranger", where)}
    assert [row.subject_id for row in found][:3] == [owner.pk, None, owner.pk]
    assert not LookupMiss.objects.filter(client__contains="asha").exists()
