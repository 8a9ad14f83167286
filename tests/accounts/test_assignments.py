"""Giving and taking roles at once: the rule that an owner stays holds whoever is faster."""

from __future__ import annotations

from functools import partial

import pytest
from django.contrib.auth.models import User

from backend.accounts import assignments
from backend.core.errors import Code, Refused
from tests.support import factor, races

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]


def ended(account: User) -> str:
    """`ended`, or why not."""
    try:
        assignments.end(account.pk)
    except Refused as refused:
        return refused.code
    return "ended"


def test_of_owners_who_end_each_others_access_at_once_one_stays() -> None:
    owners = [User.objects.create_superuser(name) for name in ("asha", "meena", "ravi")]
    for owner in owners:
        factor.app_of(owner)
    answers = races.at_once([partial(ended, owner) for owner in owners])
    assert sorted(answers) == ["ended", "ended", Code.LAST_OWNER]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
