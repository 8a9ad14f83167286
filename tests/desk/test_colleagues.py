"""Colleagues: an owner invites by mail, gives one role, ends an access; nothing else gives roles."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Browser

from backend.accounts import assignments, enrolment, second_factor, tokens
from backend.accounts.models import EnrolmentLink, Session, TokenGrant
from backend.accounts.roles import OWNER, Role
from backend.accounts.scopes import Wide
from backend.audit.models import AccessRecord, Kind
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.ops.models import Act, Verb
from backend.outbox.models import Message
from backend.people.models import Psychologist
from tests.support import factor, roles, scenarios
from tests.support.admin_site import logged_in, page_url

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
COLLEAGUES, INVITE = "/admin/account/colleagues/", "/admin/account/colleagues/invite/"
MEENA = {"username": "meena", "email": "meena@example.org", "role": Role.RECEPTIONIST, "psychologist": ""}


@pytest.fixture
def asha() -> User:
    """An owner."""
    roles.ensure_groups()
    made = User.objects.create_superuser("asha")
    factor.app_of(made)
    return made


@pytest.fixture
def desk(asha: User) -> Browser:
    return logged_in(asha)


def page_of(account: User) -> str:
    return f"{COLLEAGUES}{account.pk}/"


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def rights_rows(account: User) -> int:
    """In the access log, of this account."""
    rows = AccessRecord.objects.filter(kind=Kind.RIGHTS_CHANGED, actor="staff:asha")
    return rows.filter(subject="user", subject_id=account.pk).count()


# -- the invitation ----------------------------------------------------------------------------------------------------


def test_an_invitation_is_mailed_with_a_link_that_sets_the_account_up(desk: Browser, now: datetime) -> None:
    answer = desk.post(INVITE, MEENA)
    meena = User.objects.get(username="meena")
    assert answer["Location"] == page_of(meena)
    assert (meena.is_staff, meena.is_superuser, meena.has_usable_password()) == (True, False, False)
    assert assignments.role_of(meena) == Role.RECEPTIONIST
    assert rights_rows(meena) >= 1
    act = Act.objects.get()
    assert (act.verb, act.subject, act.reason, act.actor) == (Verb.INVITE, "meena", "Receptionist", "staff:asha")
    mail = Message.objects.get(kind=Notice.STAFF_INVITED)
    assert (mail.recipient, mail.subject_id) == ("meena@example.org", meena.pk)
    mail.context, mail.frozen_at = delivery.prepare(mail, now=now), now
    body = delivery.compose(mail, {}).body
    assert "asha invites you" in body
    found = re.search(r"/admin/account/enrol/\?token=[\w-]+", body)
    assert found
    page = text(Browser().get(found[0], follow=True))
    assert "Choose a password" in page
    assert found[0].partition("=")[2] not in str(mail.context) + str(list(EnrolmentLink.objects.values()))


def test_a_link_that_was_replaced_used_or_is_too_old_is_not_mailed(desk: Browser, now: datetime) -> None:
    desk.post(INVITE, MEENA)
    meena, first = User.objects.get(username="meena"), Message.objects.get()
    assert delivery.prepare(first, now=now) is not None
    assert delivery.prepare(first, now=EnrolmentLink.objects.get().expires_at) is None
    desk.post(page_of(meena), {"do": "invite", "email": "other@example.org"})
    assert delivery.prepare(first, now=now) is None
    second = Message.objects.exclude(pk=first.pk).get()
    assert (second.recipient, delivery.prepare(second, now=now) is None) == ("other@example.org", False)
    enrolment.spend(EnrolmentLink.objects.get().digest)
    assert delivery.prepare(second, now=now) is None


def test_a_psychologist_is_invited_as_the_person_they_are(desk: Browser) -> None:
    who = scenarios.psychologist("Dr. Mine")
    typed = {**MEENA, "role": Role.PSYCHOLOGIST}
    assert "Choose whose bookings" in text(desk.post(INVITE, typed))
    desk.post(INVITE, {**typed, "psychologist": who.pk})
    who.refresh_from_db()
    assert who.user == User.objects.get(username="meena")
    assert Act.objects.get().reason == "Psychologist (Dr. Mine)"
    assert f'value="{who.pk}"' not in text(desk.get(INVITE))  # somebody has it


@pytest.mark.parametrize(
    "wrong",
    [{"username": ""}, {"username": "ASHA"}, {"username": "a b"}, {"email": ""}, {"email": "x"}, {"role": "Boss"}],
)
def test_what_is_wrong_invites_nobody(desk: Browser, wrong: dict[str, str]) -> None:
    assert desk.post(INVITE, {**MEENA, **wrong}).status_code == 400
    assert User.objects.count() == 1
    assert not Message.objects.exists()


def test_the_person_of_another_role_is_refused(desk: Browser) -> None:
    who = scenarios.psychologist("Dr. Mine")
    assert "nobody&#x27;s own" in text(desk.post(INVITE, {**MEENA, "psychologist": who.pk}))


# -- the role ----------------------------------------------------------------------------------------------------------


def test_another_role_counts_at_once_ends_the_tokens_and_is_recorded(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist("Dr. Mine")
    meena = roles.account(Role.PSYCHOLOGIST, "meena", who=who)
    meena.groups.add(Group.objects.get(name=Role.OPERATOR))
    tokens.make(meena, name="x", scope=Wide.ACT, lifetime=timedelta(days=1))
    hers, before = logged_in(meena), rights_rows(meena)
    assert hers.get("/admin/payments/payment/").status_code == 404
    answer = desk.post(page_of(meena), {"do": "role", "role": Role.MANAGER, "psychologist": ""}, follow=True)
    assert "meena is now: Manager" in text(answer)
    assert hers.get("/admin/payments/payment/").status_code == 200
    assert [group.name for group in meena.groups.all()] == [Role.MANAGER]
    assert not TokenGrant.objects.exists()
    assert not Psychologist.objects.filter(user=meena).exists()
    assert rights_rows(meena) > before
    assert Act.objects.get().reason == "Operator, Psychologist (Dr. Mine) → Manager"


def test_the_last_owner_who_can_come_in_stays_one(asha: User, desk: Browser) -> None:
    ravi = User.objects.create_superuser("ravi")  # has not set up the account yet
    acts = ({"do": "role", "role": Role.MANAGER}, {"do": "end", "reason": "leaves"})
    for typed in acts:
        assert "last owner" in text(desk.post(page_of(asha), typed))
    asha.refresh_from_db()
    assert (asha.is_superuser, asha.is_active, Act.objects.exists()) == (True, True, False)
    factor.app_of(ravi)
    desk.post(page_of(asha), acts[0])
    asha.refresh_from_db()
    assert (asha.is_superuser, assignments.role_of(asha)) == (False, Role.MANAGER)
    assert desk.get(COLLEAGUES).status_code == 404


def test_an_owner_is_made_and_keeps_what_they_had_not(desk: Browser) -> None:
    meena = roles.account(Role.RECEPTIONIST, "meena")
    desk.post(page_of(meena), {"do": "role", "role": OWNER})
    meena.refresh_from_db()
    assert (meena.is_superuser, meena.groups.count()) == (True, 0)


# -- the end -----------------------------------------------------------------------------------------------------------


def test_an_access_that_ends_opens_nothing_any_more(desk: Browser) -> None:
    meena = roles.account(Role.PSYCHOLOGIST, "meena", who=scenarios.psychologist("Dr. Mine"))
    factor.app_of(meena)
    tokens.make(meena, name="x", scope=Wide.READ, lifetime=timedelta(days=1))
    hers = logged_in(meena)
    assert desk.post(page_of(meena), {"do": "end", "reason": ""}).status_code == 400
    assert hers.get("/admin/").status_code == 200
    assert "meena is out" in text(desk.post(page_of(meena), {"do": "end", "reason": "leaves"}, follow=True))
    assert hers.get("/admin/")["Location"].startswith("/admin/login/")
    meena.refresh_from_db()
    assert (meena.is_active, meena.has_usable_password(), meena.groups.exists()) == (False, False, False)
    for left in (
        TokenGrant.objects.all(),
        Session.objects.filter(account=meena),
        Psychologist.objects.exclude(user=None),
    ):
        assert not left.exists()
    assert not second_factor.is_set_up(meena)
    assert Act.objects.get().reason == "leaves"
    assert rights_rows(meena) >= 1
    assert desk.get(page_of(meena)).status_code == 404
    assert "was, an account" in text(desk.post(INVITE, MEENA))  # the name is not used again


# -- no other way ------------------------------------------------------------------------------------------------------


def test_the_stock_pages_give_no_role_and_no_account(desk: Browser, asha: User) -> None:
    meena = roles.account(Role.RECEPTIONIST, "meena")
    form = {"username": "meena", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    page = text(desk.get(page_url(meena)))
    assert 'name="groups"' not in page
    assert "md5$" not in page
    for url in (page_url(meena), "/admin/auth/user/add/", f"/admin/auth/user/{meena.pk}/password/"):
        assert desk.post(url, form).status_code == 404
    manager = Group.objects.get(name=Role.MANAGER)
    assert desk.post("/admin/auth/group/add/", {"name": "Boss"}).status_code == 404
    assert desk.post(f"/admin/auth/group/{manager.pk}/delete/", {"post": "yes"}).status_code == 404
    desk.post(page_url(manager), {"name": "Boss", "permissions": []})
    manager.refresh_from_db()
    assert (manager.name, manager.permissions.count()) == (Role.MANAGER, 0)
    meena.refresh_from_db()
    assert not meena.is_superuser


def test_whose_account_it_is_a_manager_does_not_say() -> None:
    who, manager = scenarios.psychologist("Dr. Mine"), roles.account(Role.MANAGER)
    page = text(logged_in(manager).get(page_url(who)))
    assert 'name="full_name"' in page
    assert 'name="user"' not in page


def test_for_others_none_of_it_exists(asha: User) -> None:
    manager = roles.account(Role.MANAGER)
    manager.user_permissions.set(roles_of_accounts())
    browser = logged_in(manager)
    for url in (COLLEAGUES, INVITE, page_of(asha)):
        assert (browser.get(url).status_code, browser.post(url, MEENA).status_code) == (404, 404)
    assert COLLEAGUES not in text(browser.get("/admin/"))
    assert User.objects.count() == 2


def roles_of_accounts() -> list[object]:
    """What Django's own page of accounts would ask for."""
    from django.contrib.auth.models import Permission

    return list(Permission.objects.filter(content_type__app_label="auth"))
