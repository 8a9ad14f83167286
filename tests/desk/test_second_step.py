"""The door of the admin: password, second step, and for what is worth more both again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse

from backend.accounts import second_factor
from backend.accounts.models import Session
from backend.api import logins
from backend.api.models import LookupMiss
from backend.audit import signals
from backend.audit.models import AccessRecord, Kind
from backend.desk.account.middleware import WITHOUT_SECOND_STEP
from tests.support import factor, roles
from tests.support.admin_site import logged_in, password_given
from tests.support.factor import App
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]
STEP, CONFIRM, LOGIN = "/admin/account/second-step/", "/admin/account/confirm/", "/admin/login/"
PASSWORD = "correct horse"
EXPORT = "/admin/bookings/booking/export/"
FRESH_PAGES = ("/admin/auth/user/", "/admin/auth/group/", "/admin/account/tokens/new/", "/admin/account/colleagues/")
MOMENT = timedelta(seconds=1)


@pytest.fixture
def account(clock: time_machine.Traveller) -> User:
    return User.objects.create_superuser("asha", password=PASSWORD)


@pytest.fixture
def app(account: User) -> App:
    return factor.app_of(account)


@pytest.fixture
def real_limits(settings) -> None:
    settings.LOGIN_IDLE, settings.LOGIN_LONGEST = timedelta(minutes=15), timedelta(hours=8)
    settings.LOGIN_FRESH = timedelta(minutes=10)


def with_password(browser: Browser, **more: str) -> HttpResponse:
    return browser.post(LOGIN, {"username": "asha", "password": PASSWORD, "next": "/admin/", **more})


def addresses() -> Iterator[tuple[str, str]]:
    """Every address of the admin, with something where it names a row, and its name."""
    for route, pattern in roles.patterns():
        if route.startswith("admin/"):
            yield "/" + re.sub(r"<[^>]+>|\(.*?\)|[\^$?]|\.\*", "1", route).rstrip("Z\\"), pattern.name or ""


def leads(answer: HttpResponse) -> str:
    """To which page, the rest of the address left out; empty: nowhere."""
    return urlsplit(answer["Location"]).path if answer.status_code == 302 else ""


# -- what is open before it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_with_the_password_alone_every_address_leads_to_the_second_step(account: User, app: App, method: str) -> None:
    open_ones = {reverse(name) for name in WITHOUT_SECOND_STEP}
    tried = [url for url, _ in addresses()]
    assert len(tried) > 150
    browser = password_given(account)
    for url in (*tried, "/admin/nothing/", "/admin/bookings/booking/export", "/admin/account/secondstep/"):
        if url not in open_ones:
            assert leads(getattr(browser, method)(url)) == STEP, url


def test_without_a_password_every_address_leads_to_the_log_in(client: Browser) -> None:
    named = {name: url for url, name in addresses()}
    for url in (*named.values(), STEP, CONFIRM, "/admin/account/"):
        if url not in (LOGIN, reverse("admin:logout"), reverse("desk:enrol")):
            assert leads(client.get(url)) == LOGIN, url


def test_an_account_without_a_factor_is_told_whom_to_ask(account: User) -> None:
    browser = password_given(account)
    assert "Ask an owner" in browser.get(STEP).content.decode()
    assert browser.post(STEP, {"code": "123456"}).status_code == 400
    assert leads(browser.get("/admin/")) == STEP


# -- the step ----------------------------------------------------------------------------------------------------------


def test_password_and_code_open_the_page_that_was_asked_for_and_each_takes_a_new_key(
    account: User, app: App, client: Browser
) -> None:
    client.get(LOGIN)
    client.session["x"] = 1
    wanted = "/admin/bookings/booking/?q=a&deadline=soon"
    answer = with_password(client, next=wanted)
    first = client.cookies[configured.SESSION_COOKIE_NAME].value
    answer = client.get(answer["Location"])
    assert leads(answer) == STEP
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [wanted]
    assert wanted.replace("&", "&amp;") in client.get(answer["Location"]).content.decode()
    answer = client.post(STEP, {"code": " ".join(re.findall("...", app.code())), "next": wanted})
    assert answer["Location"] == wanted
    assert client.get(wanted).status_code == 200
    assert client.cookies[configured.SESSION_COOKIE_NAME].value != first
    stale = Browser()
    stale.cookies[configured.SESSION_COOKIE_NAME] = first
    assert leads(stale.get("/admin/")) == LOGIN
    assert Session.objects.count() == 1


@pytest.mark.parametrize("foreign", ["https://evil.example/admin/", "//evil.example/", "/api/docs/", "javascript:x"])
def test_no_other_place_is_led_to(account: User, app: App, foreign: str) -> None:
    browser = password_given(account)
    assert browser.post(STEP, {"code": app.code(), "next": foreign})["Location"] == "/admin/"


def test_a_used_code_is_refused(account: User, app: App) -> None:
    code = app.code()
    assert leads(password_given(account).post(STEP, {"code": code})) == "/admin/"
    second = password_given(account)
    assert "A code works once" in second.post(STEP, {"code": code}).content.decode()
    assert leads(second.get("/admin/")) == STEP


def test_wrong_codes_make_wait_and_a_recovery_code_comes_in_meanwhile(account: User, app: App) -> None:
    codes, browser = second_factor.new_recovery_codes(account), password_given(account)
    for _ in range(3):
        answer = browser.post(STEP, {"code": "000000"})
    assert (answer.status_code, "Try again in 1 seconds" in answer.content.decode()) == (429, True)
    assert "Too many" in browser.post(STEP, {"code": app.code()}).content.decode()
    assert leads(browser.post(STEP, {"recovery_code": codes[0]})) == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_logging_out_ends_the_session_here_too(account: User, app: App) -> None:
    browser = logged_in(account)
    kept = browser.cookies[configured.SESSION_COOKIE_NAME].value
    browser.post("/admin/logout/")
    assert not Session.objects.exists()
    browser.cookies[configured.SESSION_COOKIE_NAME] = kept
    assert leads(browser.get("/admin/")) == LOGIN


def test_the_cookies_key_is_not_in_the_table(account: User) -> None:
    key = logged_in(account).cookies[configured.SESSION_COOKIE_NAME].value
    assert key not in str(list(Session.objects.values()))


# -- how long ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("real_limits")
def test_a_session_that_nobody_uses_ends_after_a_quarter_of_an_hour(
    account: User, now: datetime, clock: time_machine.Traveller
) -> None:
    browser = logged_in(account)
    for minutes in (15, 29, 44):  # each within 15 of the last
        clock.move_to(now + timedelta(minutes=minutes))
        assert browser.get("/admin/account/").status_code == 200
    clock.move_to(now + timedelta(minutes=59, seconds=1))
    assert leads(browser.get("/admin/account/")) == LOGIN
    assert not Session.objects.filter(account=account).exists()


@pytest.mark.usefixtures("real_limits")
def test_a_page_that_renews_itself_is_nobody_at_the_desk(
    account: User, now: datetime, clock: time_machine.Traveller
) -> None:
    browser = logged_in(account)
    for minutes in (10, 15, 16):
        clock.move_to(now + timedelta(minutes=minutes))
        answer = browser.get("/admin/ops/act/schedules/?part=live")
    assert leads(answer) == LOGIN


@pytest.mark.usefixtures("real_limits")
def test_a_session_ends_eight_hours_after_its_log_in_however_busy(
    account: User, now: datetime, clock: time_machine.Traveller
) -> None:
    browser = logged_in(account)
    for minutes in range(0, 8 * 60 + 1, 12):
        clock.move_to(now + timedelta(minutes=minutes))
        assert browser.get(STEP).status_code == 302, minutes
        assert browser.get("/admin/account/").status_code == 200, minutes
    clock.move_to(now + timedelta(hours=8, seconds=1))
    assert leads(browser.get("/admin/account/")) == LOGIN


# -- both again --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("real_limits")
@pytest.mark.parametrize("url", [*FRESH_PAGES, EXPORT, "/admin/numbers/?as=csv"])
def test_what_is_worth_more_asks_again_after_ten_minutes(
    account: User, now: datetime, clock: time_machine.Traveller, url: str
) -> None:
    browser = logged_in(account)
    clock.move_to(now + timedelta(minutes=10))
    assert browser.get(url).status_code == 200
    clock.move_to(now + timedelta(minutes=10, seconds=1))
    answer = browser.get(url)
    assert leads(answer) == CONFIRM
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [url]
    assert leads(browser.post(url, {"x": "y"})) == CONFIRM
    assert browser.get("/admin/account/").status_code == 200  # the rest stays open


def test_whatever_makes_a_file_asks_again() -> None:
    makers = [path for path in (ROOT / "backend").rglob("*.py") if "csv_answer(" in path.read_text()]
    assert len(makers) >= 4  # the module that writes them, and three that use it
    assert [path.name for path in makers if "@requires_fresh" not in path.read_text()] == ["spreadsheet.py"]


@pytest.mark.usefixtures("real_limits")
def test_password_and_code_make_it_fresh_again(
    account: User, app: App, now: datetime, clock: time_machine.Traveller
) -> None:
    browser = logged_in(account)
    clock.move_to(now + timedelta(minutes=12))
    assert browser.post(CONFIRM, {"code": app.code(), "next": EXPORT}).status_code == 400
    answer = browser.post(CONFIRM, {"password": PASSWORD, "code": app.code(), "next": EXPORT})
    assert answer["Location"] == EXPORT
    assert browser.get(EXPORT)["Content-Type"].startswith("text/csv")


def test_a_wrong_password_slows_down_as_a_wrong_code_does(account: User, app: App) -> None:
    browser = logged_in(account)
    recovery = second_factor.new_recovery_codes(account)[0]
    assert "not your password" in browser.post(CONFIRM, {"password": "x", "code": "1"}).content.decode()
    tried = {"password": PASSWORD, "recovery_code": recovery}
    assert "Too many" in browser.post(CONFIRM, tried).content.decode()


def test_a_code_is_not_used_up_by_a_wrong_password(
    account: User, app: App, now: datetime, clock: time_machine.Traveller
) -> None:
    browser, code = logged_in(account), app.code()
    assert browser.post(CONFIRM, {"password": "x", "code": code}).status_code == 400
    clock.move_to(now + timedelta(seconds=2))
    assert leads(browser.post(CONFIRM, {"password": PASSWORD, "code": code})) == "/admin/"


def test_where_the_password_is_asked_again_it_is_looked_at_no_more_often_than_at_the_log_in(
    account: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "FAILURES_PER_NETWORK", 2)
    factor.passkey_of(account, "phone")  # alone: no app slows down
    browser = logged_in(account)
    for _ in range(2):
        assert "not your password" in browser.post(CONFIRM, {"password": "x", "passkey": "{}"}).content.decode()
    answer = browser.post(CONFIRM, {"password": PASSWORD, "passkey": "{}"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "1800")
    assert "Too many log-ins failed" in answer.content.decode()
    kinds = AccessRecord.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds)[-3:] == [Kind.LOGIN_FAILED, Kind.LOGIN_FAILED, Kind.LOGINS_STOPPED]


def test_who_is_still_the_same_counts_nothing(account: User, app: App) -> None:
    assert leads(logged_in(account).post(CONFIRM, {"password": PASSWORD, "code": app.code()})) == "/admin/"
    assert set(LookupMiss.objects.values_list("count", flat=True)) == {0}


def test_a_second_step_that_fails_is_recorded_and_not_without_end(
    account: User, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "REFUSALS_AN_HOUR", 2)
    browser = Browser()
    with_password(browser)
    for typed in ({"code": "000000"}, {"recovery_code": "x"}, {"recovery_code": "y"}):
        assert browser.post(STEP, typed).status_code == 400
    found = AccessRecord.objects.filter(kind=Kind.FACTOR_REFUSED)
    assert {(row.actor, row.subject_id, row.page) for row in found} == {("staff:asha", account.pk, "desk:second_step")}
    assert len(found) == 2


def test_the_old_password_is_guessed_nowhere_else(account: User, settings) -> None:
    settings.LOGIN_FRESH = -MOMENT
    assert leads(logged_in(account).get("/admin/password_change/")) == CONFIRM
