"""The brake on guessing ids: who misses too often is refused, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from backend.api.models import LookupMiss
from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.networks import client_network
from tests.support import api, factories

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

GUESSER, NEIGHBOUR = "198.51.100.1", "198.51.100.2"


@pytest.fixture(autouse=True)
def clock(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(policy, "LOOKUP_MISSES_PER_HOUR", 3)
    monkeypatch.setattr(policy, "LOOKUP_MISSES_ALL", 50)
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def ask(acknowledgement_id: str = "MS-000000", client: str = GUESSER, **headers: str) -> HttpResponse:
    query, environ = {"acknowledgement_id": acknowledgement_id}, {"REMOTE_ADDR": client}
    return api.request("GET", api.STATUS, query=query, environ=environ, **headers)


def pay(acknowledgement_id: str = "MS-000000", client: str = GUESSER) -> HttpResponse:
    data, environ = {"acknowledgement_id": acknowledgement_id}, {"REMOTE_ADDR": client}
    return api.request("POST", api.INITIATE, data=data, environ=environ)


@pytest.fixture
def booking(now: datetime) -> Booking:
    return factories.make_booking(State.PENDING, now=now)


@pytest.mark.parametrize("look", [ask, pay])
def test_who_missed_too_often_is_refused_until_the_hour_ends(
    look: Callable[[], HttpResponse], now: datetime, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        api.error(look(), 404, "booking_unknown")
    refused = look()
    assert "later" in api.error(refused, 429, "too_many_misses")["detail"]
    assert refused["Retry-After"] == "1800"  # it is half past
    clock.move_to(now + timedelta(minutes=30, seconds=-1))
    assert look()["Retry-After"] == "1"
    clock.move_to(now + timedelta(minutes=30))
    api.error(look(), 404, "booking_unknown")


def test_misses_of_both_kinds_and_of_head_count_together() -> None:
    ask()
    pay()
    api.request("HEAD", api.STATUS, query={"acknowledgement_id": "MS-000001"}, environ={"REMOTE_ADDR": GUESSER})
    api.error(ask(), 429, "too_many_misses")
    api.error(pay(), 429, "too_many_misses")


def test_over_the_limit_good_ids_are_refused_too_so_that_a_refusal_tells_nothing(booking: Booking) -> None:
    misses = [ask() for _ in range(4)]
    hit = ask(booking.acknowledgement_id)
    assert hit.content == misses[-1].content
    api.error(hit, 429, "too_many_misses")


def test_others_go_on(booking: Booking) -> None:
    for _ in range(4):
        ask()
    api.done(ask(booking.acknowledgement_id, NEIGHBOUR))
    api.error(ask(client=NEIGHBOUR), 404, "booking_unknown")


def test_a_page_that_polls_a_good_id_is_never_refused_and_writes_nothing(booking: Booking) -> None:
    for _ in range(2):
        ask()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(40):
            api.done(ask(booking.acknowledgement_id))
    assert not [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]


def test_a_known_booking_that_cannot_be_paid_is_no_miss(booking: Booking) -> None:
    for _ in range(4):
        api.error(pay(booking.acknowledgement_id), 409, "state_refuses")
    assert not LookupMiss.objects.exists()


def test_an_id_that_is_missing_counts_nothing() -> None:
    for _ in range(4):
        api.error(ask(""), 400, "invalid")
    assert not LookupMiss.objects.exists()


def test_when_all_miss_too_often_one_miss_is_enough_and_who_knows_an_id_goes_on(booking: Booking) -> None:
    for number in range(50):
        ask(client=f"203.0.113.{number}")
    for _ in range(3):
        api.done(ask(booking.acknowledgement_id))
    api.error(ask(), 404, "booking_unknown")
    api.error(ask(booking.acknowledgement_id), 429, "too_many_misses")
    api.error(ask(client="203.0.113.7"), 429, "too_many_misses")


def test_an_ipv6_asker_cannot_escape_within_its_network() -> None:
    for host in range(3):
        ask(client=f"2001:db8:1:2::{host:x}")
    api.error(ask(client="2001:db8:1:2:ffff:ffff:ffff:ffff"), 429, "too_many_misses")
    api.error(ask(client="2001:db8:1:3::1"), 404, "booking_unknown")


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "network"),
    [
        (0, "198.51.100.1", "", "198.51.100.1"),
        (0, "198.51.100.1", "203.0.113.9", "198.51.100.1"),  # nobody is trusted to say so
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the first is what the asker claims
        (2, "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        (1, "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::/64"),
        (1, "10.0.0.1", "2001:db8:0:0:1:2:3:4", "2001:db8::/64"),
        (0, "::ffff:203.0.113.9", "", "203.0.113.9"),
        (0, "fe80::1%eth0", "", "fe80::/64"),
        (0, "", "", "unknown"),
        (1, "10.0.0.1", "nonsense", "unknown"),
    ],
)
def test_the_asker_is_who_our_own_proxies_saw(
    proxies: int, peer: str, forwarded: str, network: str, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == network


def test_behind_a_proxy_askers_are_told_apart(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for _ in range(3):
        ask(x_forwarded_for="203.0.113.1")
    api.error(ask(x_forwarded_for="203.0.113.2, 203.0.113.1"), 429, "too_many_misses")
    api.error(ask(x_forwarded_for="203.0.113.1, 203.0.113.2"), 404, "booking_unknown")


@pytest.mark.parametrize("path", [*api.PINGS, api.SUPPORT])
def test_pings_and_support_are_not_throttled(path: str) -> None:
    for _ in range(4):
        ask()
    for _ in range(5):
        api.done(api.request("GET", path, environ={"REMOTE_ADDR": GUESSER}))
