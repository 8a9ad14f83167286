"""One's own account: another app, passkeys, recovery codes, and where one is logged in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django_otp_webauthn.models import WebAuthnCredential

from backend.accounts import second_factor
from backend.accounts.models import Session
from tests.support import factor
from tests.support.admin_site import logged_in
from tests.support.factor import App

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OWN, APP, CONFIRM = "/admin/account/", "/admin/account/app/", "/admin/account/confirm/"


@pytest.fixture
def account() -> User:
    return User.objects.create_user("asha", password="correct horse", is_staff=True)


def is_in(browser: Browser) -> bool:
    return browser.get(OWN).status_code == 200


def test_a_session_is_ended_from_another_and_nobody_elses(account: User) -> None:
    here, there, else_where = logged_in(account), logged_in(account), logged_in(User.objects.create_superuser("ravi"))
    theirs = Session.objects.get(account__username="ravi").pk
    [other] = re.findall(r'name="session" value="(\w+)"', here.get(OWN).content.decode())
    here.post(OWN, {"do": "end", "session": theirs})
    assert is_in(else_where)
    here.post(OWN, {"do": "end", "session": other})
    assert (is_in(here), is_in(there)) == (True, False)


def test_all_others_are_ended_at_once(account: User) -> None:
    here, others = logged_in(account), [logged_in(account) for _ in range(2)]
    assert "Ended: 2." in here.post(OWN, {"do": "end_others"}, follow=True).content.decode()
    assert [is_in(one) for one in (here, *others)] == [True, False, False]


def test_sessions_are_shown_with_browser_and_times(account: User) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0"
    browser = Browser(headers={"user-agent": agent})
    typed = {"username": "asha", "password": "correct horse"}
    browser.post("/admin/login/", typed, REMOTE_ADDR="2001:db8::7")
    page = logged_in(account).get(OWN).content.decode()
    assert "Edge on Windows" in page
    assert "A browser" in page  # the one that looks says nothing of itself
    assert "from 2001:db8::/64" in page
    assert "the second step is missing" in page
    assert "Since 23 Nov, 10:00, last seen 23 Nov, 10:00" in page


def test_a_new_password_ends_the_other_sessions(account: User) -> None:
    here, there = logged_in(account), logged_in(account)
    new = {"old_password": "correct horse", "new_password1": "tungsten 8 lamp", "new_password2": "tungsten 8 lamp"}
    assert here.post("/admin/password_change/", new).status_code == 302
    assert Session.objects.count() == 1
    assert (is_in(here), is_in(there)) == (True, False)


def test_another_app_takes_the_place_of_the_first_and_ends_the_other_sessions(account: User) -> None:
    old, here, there = factor.app_of(account), logged_in(account), logged_in(account)
    page = here.get(APP).content.decode()
    found = re.search(r'<code class="desk-key">(\w+)</code>', page)
    assert found
    assert here.post(APP, {"code": "000000"}).status_code == 400
    assert second_factor.slowed_until(account) is not None
    assert is_in(there)
    account.authenticator_set.update(throttling_failure_count=0)
    here.post(APP, {"code": App(found[1]).code()})
    assert (is_in(here), is_in(there)) == (True, False)
    assert not second_factor.check_code(account, old.code())


def test_new_recovery_codes_are_shown_in_the_answer_alone(account: User) -> None:
    here, there = logged_in(account), logged_in(account)
    answer = here.post(OWN, {"do": "new_codes"})
    assert len(re.findall(r"<li><code>", answer.content.decode())) == 10
    assert "no-store" in answer["Cache-Control"]
    assert "10 of 10 are left" in here.get(OWN).content.decode()
    assert not is_in(there)


def test_a_passkey_is_removed_unless_it_is_the_last_of_all(account: User) -> None:
    first, second, browser = factor.passkey_of(account, "one"), factor.passkey_of(account, "two"), logged_in(account)
    foreign = factor.passkey_of(User.objects.create_user("ravi"), "three")
    for wrong in ("", "x", str(foreign.pk)):
        browser.post(OWN, {"do": "remove_passkey", "id": wrong})
    assert WebAuthnCredential.objects.count() == 3
    browser.post(OWN, {"do": "remove_passkey", "id": first.pk})
    browser.post(OWN, {"do": "remove_passkey", "id": second.pk})
    assert list(WebAuthnCredential.objects.filter(user=account)) == [second]
    factor.app_of(account)
    browser.post(OWN, {"do": "remove_passkey", "id": second.pk})
    assert not WebAuthnCredential.objects.filter(user=account).exists()


@pytest.mark.parametrize("what", ["new_codes", "add_passkey", "remove_passkey"])
def test_changes_of_the_factor_ask_for_it_first(
    account: User, now: datetime, clock: time_machine.Traveller, settings, what: str
) -> None:
    browser = logged_in(account)
    settings.LOGIN_FRESH = timedelta(minutes=10)
    clock.move_to(now + timedelta(minutes=11))
    assert browser.post(OWN, {"do": what})["Location"].startswith(CONFIRM)
    assert browser.get(APP)["Location"].startswith(CONFIRM)
    assert browser.get(OWN).status_code == 200


def test_what_is_not_offered_does_not_exist(account: User) -> None:
    assert logged_in(account).post(OWN, {"do": "drop"}).status_code == 404


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id": 1}', "x" * 4000])
def test_what_is_no_passkey_registers_none(account: User, answer: str) -> None:
    browser = logged_in(account)
    browser.get(OWN)
    page = browser.post(OWN, {"do": "add_passkey", "passkey": answer}, follow=True).content.decode()
    assert "was not accepted" in page
    assert not WebAuthnCredential.objects.exists()
