"""Tokens for programs on the desk: shown once, listed, revoked by their account and by an owner."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from knox.models import AuthToken

from backend.accounts import tokens
from backend.accounts.models import TokenGrant
from backend.accounts.roles import Role
from backend.accounts.scopes import Wide
from backend.audit.models import AccessRecord, Kind
from tests.support import api, roles
from tests.support.admin_site import logged_in
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
TOKENS, NEW = "/admin/account/tokens/", "/admin/account/tokens/new/"
TYPED = {"name": "nightly export", "scope": "read", "hours": "12"}


@pytest.fixture
def meena() -> User:
    return roles.account(Role.RECEPTIONIST, "meena")


def shown(browser: Browser, **typed: str) -> str:
    """The token on the page that answers."""
    found = re.search(r'<code class="desk-key">(\w+)</code>', browser.post(NEW, {**TYPED, **typed}).content.decode())
    assert found
    return found[1]


def test_a_token_is_shown_once_opens_what_was_chosen_and_is_recorded(meena: User, now: datetime) -> None:
    browser = logged_in(meena)
    token = shown(browser)
    page = browser.get(TOKENS)
    assert "nightly export" in page.content.decode()
    assert token not in page.content.decode()
    assert "no-store" in browser.get(NEW)["Cache-Control"]
    api.done(Desk(meena, token).get())
    assert TokenGrant.objects.get().token.expiry == now + timedelta(hours=12)
    record = AccessRecord.objects.latest("pk")
    assert (record.kind, record.shown, record.actor) == (Kind.RIGHTS_CHANGED, f"user.token {meena.pk} ;", "staff:meena")


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 81}, {"scope": "all"}, {"hours": "2161"}, {"hours": ""}]
)
def test_what_is_not_offered_makes_none(meena: User, wrong: dict[str, str]) -> None:
    assert logged_in(meena).post(NEW, {**TYPED, **wrong}).status_code == 400
    assert not AuthToken.objects.exists()


def test_each_ends_their_own_and_an_owner_everybodys(meena: User, now: datetime) -> None:
    other = User.objects.create_superuser("asha")
    hers, own = (tokens.make(one, name=f"of {one}", scope=Wide.READ, lifetime=timedelta(1)) for one in (meena, other))
    assert "of asha" not in logged_in(meena).get(TOKENS).content.decode()
    for foreign in (own[0].pk, "", "x", "²", "9" * 5000):
        assert logged_in(meena).post(TOKENS, {"token": foreign}).status_code == 404
    assert TokenGrant.objects.count() == 2
    assert (
        "opens nothing any more" in logged_in(other).post(TOKENS, {"token": hers[0].pk}, follow=True).content.decode()
    )
    assert Desk(meena, hers[1]).get().status_code == 401
    assert AccessRecord.objects.latest("pk").shown == f"user.token {meena.pk} ;"
    assert [grant.name for grant in tokens.of_everybody(now=now)] == ["of asha"]


def test_making_one_asks_for_both_again_and_ending_one_does_not(
    meena: User, now: datetime, clock: time_machine.Traveller, settings
) -> None:
    grant, _ = tokens.make(meena, name="x", scope=Wide.READ, lifetime=timedelta(1))
    browser = logged_in(meena)
    settings.LOGIN_FRESH = timedelta(minutes=10)
    clock.move_to(now + timedelta(minutes=11))
    for answer in (browser.get(NEW), browser.post(NEW, TYPED)):
        assert answer["Location"].startswith("/admin/account/confirm/")
    assert browser.post(TOKENS, {"token": grant.pk})["Location"] == TOKENS
    assert not AuthToken.objects.exists()


def test_the_librarys_own_pages_are_closed() -> None:
    desk = logged_in(User.objects.create_superuser("asha"))
    for url in ("/admin/knox/", "/admin/knox/authtoken/", "/admin/knox/authtoken/add/"):
        assert desk.get(url).status_code == 404
