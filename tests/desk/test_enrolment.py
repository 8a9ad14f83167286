"""How an account comes to its second factor: the first owner, the one-time link, and a reset by an owner."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from knox.models import AuthToken

from backend.accounts import enrolment, second_factor
from backend.accounts.models import Authenticator, EnrolmentLink, Session
from backend.accounts.roles import Role
from backend.audit.models import AccessRecord, Kind
from backend.ops.models import Act, Verb
from tests.support import factor, roles
from tests.support.admin_site import logged_in, owner
from tests.support.factor import App

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
ENROL = "/admin/account/enrol/"
PASSWORD = "correct horse battery"


def first_owner(*words: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("first_owner", *words, stdout=out)
    return out.getvalue()


def path_in(text: str) -> str:
    """The link in a page or print, without the host."""
    found = re.search(r"/admin/account/enrol/\?token=[\w-]+", text)
    assert found, text
    return found[0]


def app_on(page: str) -> App:
    """An app that has scanned the page."""
    found = re.search(r"<code class=\"desk-key\">(\w+)</code>", page)
    assert found, page
    return App(found[1])


def set_up(browser: Browser, link: str, **typed: str) -> str:
    """Follow the link and type what the page asks for; the last page."""
    page = browser.get(link, follow=True).content.decode()
    given = {"password": PASSWORD, "again": PASSWORD, "code": app_on(page).code(), **typed}
    return browser.post(ENROL, given).content.decode()


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([\w-]+)</code></li>", page)


# -- the first owner ---------------------------------------------------------------------------------------------------


def test_the_first_owner_chooses_a_password_scans_and_is_in(client: Browser) -> None:
    page = set_up(client, path_in(first_owner("asha", "--email", "asha@example.org")))
    assert len(codes_on(page)) == 10
    asha = User.objects.get()
    assert (asha.is_superuser, asha.is_staff, asha.check_password(PASSWORD)) == (True, True, True)
    assert client.get("/admin/account/").status_code == 200
    assert second_factor.use_recovery_code(asha, codes_on(page)[3], now=datetime.now().astimezone())


def test_there_is_one_first_owner(client: Browser) -> None:
    first_owner("asha")
    for name in ("asha", "ravi"):
        with pytest.raises(CommandError, match="already"):
            first_owner(name)


def test_an_owner_who_lost_everything_is_let_in_on_the_machine(client: Browser) -> None:
    set_up(client, path_in(first_owner("asha")))
    link = path_in(first_owner("asha", "--reset"))
    assert not Session.objects.exists()
    assert not User.objects.get().has_usable_password()
    assert Act.objects.get(verb=Verb.RESET_FACTOR).actor == "command:first_owner"
    assert len(codes_on(set_up(Browser(), link))) == 10
    with pytest.raises(CommandError, match="no active owner"):
        first_owner("ravi", "--reset")


# -- the link ----------------------------------------------------------------------------------------------------------


def test_the_token_leaves_the_address_and_looking_uses_nothing_up(client: Browser) -> None:
    link = path_in(first_owner("asha"))
    answer = client.get(link)
    assert (answer.status_code, answer["Location"]) == (302, ENROL)
    assert client.get(ENROL).status_code == client.get(ENROL).status_code == 200
    assert "no-store" in client.get(ENROL)["Cache-Control"]
    assert EnrolmentLink.objects.count() == 1


def test_a_link_opens_once(client: Browser) -> None:
    link = path_in(first_owner("asha"))
    set_up(client, link)
    for browser in (client, Browser()):
        answer = browser.get(link, follow=True)
        assert (answer.status_code, "used up" in answer.content.decode()) == (410, True)
        assert browser.post(ENROL, {"password": PASSWORD}).status_code == 410


@pytest.mark.parametrize("token", ["", "x", "' OR 1=1", "x" * 500])
def test_what_is_no_token_opens_nothing(client: Browser, token: str) -> None:
    assert client.get(ENROL, {"token": token}, follow=True).status_code == 410
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"code": "000000"}, "not the code"),
        ({"again": "another one"}, "two different passwords"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "password1", "again": "password1"}, "too common"),
        ({"passkey": "{}", "code": ""}, "not accepted"),
        ({"passkey": "[1", "code": ""}, "not accepted"),
    ],
)
def test_what_is_wrong_sets_nothing_up(client: Browser, typed: dict[str, str], said: str) -> None:
    page = set_up(client, path_in(first_owner("asha")), **typed)
    assert said in page
    assert not User.objects.get().has_usable_password()
    assert not second_factor.is_set_up(User.objects.get())
    assert EnrolmentLink.objects.exists()


# -- reset -------------------------------------------------------------------------------------------------------------


def colleague() -> User:
    made = roles.account(Role.RECEPTIONIST, "meena")
    made.set_password(PASSWORD)
    made.save()
    factor.app_of(made)
    second_factor.new_recovery_codes(made)
    return made


def test_an_owner_resets_a_colleague_who_lost_the_phone_and_it_is_recorded(now: datetime) -> None:
    meena = colleague()
    AuthToken.objects.create(meena)
    her, desk, url = logged_in(meena), owner(), f"/admin/account/colleagues/{meena.pk}/reset/"
    assert "app; 10 recovery codes" in desk.get("/admin/account/colleagues/").content.decode()
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"reason": ""}).status_code == 400
    assert her.get("/admin/account/").status_code == 200
    page = desk.post(url, {"reason": "lost phone"}).content.decode()
    assert her.get("/admin/account/")["Location"].startswith("/admin/login/")
    assert not AuthToken.objects.exists()
    record = AccessRecord.objects.get(kind=Kind.RIGHTS_CHANGED, shown__contains="second_factor")
    assert (record.actor, record.subject_id) == ("staff:desk", meena.pk)
    assert (Authenticator.objects.exists(), second_factor.recovery_codes_left(meena)) == (False, 0)
    act = Act.objects.get()
    assert (act.actor, act.subject, act.reason, act.at) == ("staff:desk", "meena", "lost phone", now)
    assert EnrolmentLink.objects.get().made_by == "staff:desk"
    assert len(codes_on(set_up(Browser(), path_in(page)))) == 10
    assert User.objects.get(username="meena").check_password(PASSWORD)


def test_the_link_of_a_reset_asks_for_the_password_and_guesses_slow_down(clock: time_machine.Traveller) -> None:
    meena = colleague()
    second_factor.forget(meena)
    link = enrolment.address(enrolment.make_link(meena, by="staff:desk", now=datetime.now().astimezone()))
    browser = Browser()
    assert "not your password" in set_up(browser, path_in(link), password="guessed")
    assert "Too many" in set_up(browser, path_in(link))
    clock.shift(timedelta(seconds=2))
    assert codes_on(set_up(browser, path_in(link)))


def test_nobody_else_resets_and_no_owner_resets_oneself() -> None:
    meena, desk = colleague(), owner()
    url = "/admin/account/colleagues/{}/reset/"
    manager = logged_in(roles.account(Role.MANAGER))
    for address in ("/admin/account/colleagues/", url.format(meena.pk)):
        assert manager.get(address).status_code == manager.post(address, {"reason": "x"}).status_code == 404
    assert desk.post(url.format(User.objects.get(username="desk").pk), {"reason": "x"}).status_code == 404
    assert second_factor.is_set_up(meena)
    assert not Act.objects.exists()
