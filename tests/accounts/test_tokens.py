"""Tokens for programs, as the machine makes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from backend.accounts import tokens
from backend.accounts.models import TokenGrant
from backend.accounts.scopes import Wide
from backend.audit.models import AccessRecord
from tests.support import api, staff_api
from tests.support.staff_api import VIEW, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_the_machine_makes_a_token_with_a_scope_and_an_end_and_records_it(now: datetime) -> None:
    user, out = staff_api.account("desk", VIEW), StringIO()
    call_command("staff_token", "desk", "--name", "export", "--hours", "48", stdout=out)
    api.done(Desk(user, out.getvalue().strip()).get())
    grant = TokenGrant.objects.get()
    assert (grant.name, grant.scope, grant.token.expiry) == ("export", Wide.READ, now + timedelta(hours=48))
    assert AccessRecord.objects.latest("pk").actor == "command:staff_token"


@pytest.mark.parametrize("asked", [["gone"], ["nobody"], ["desk", "--hours", "0"], ["desk", "--hours", "2161"]])
def test_the_machine_makes_none_without_an_end_or_for_who_is_no_staff(asked: list[str]) -> None:
    staff_api.account("desk", VIEW)
    staff_api.account("gone", is_active=False)
    with pytest.raises(CommandError):
        call_command("staff_token", *asked, "--name", "x")
    assert not TokenGrant.objects.exists()


def test_tokens_are_listed_while_they_open_something_and_revoked_by_their_account_alone(now: datetime) -> None:
    user, other = staff_api.account("desk", VIEW), staff_api.account("other")
    grant, token = tokens.make(user, name="export", scope=Wide.READ, lifetime=timedelta(hours=1))
    assert [list(tokens.of(one, now=now)) for one in (user, other)] == [[grant], []]
    assert not list(tokens.of(user, now=now + timedelta(hours=1)))
    assert not tokens.revoke(other, str(grant.pk))
    assert tokens.revoke(user, str(grant.pk))
    assert Desk(user, token).get().status_code == 401
