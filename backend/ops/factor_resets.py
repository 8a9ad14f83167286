"""Taking an account's second factor away, with the link that sets up another: recorded like all that operators do."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from backend.accounts import enrolment, second_factor
from backend.ops.models import Act, Verb


@transaction.atomic
def reset_factor(account: User, *, actor: str, reason: str, now: datetime) -> str:
    """The token of a new one-time link, told this once. Sessions end; the password stays, and the link asks for it."""
    second_factor.forget(account)
    subject = account.get_username()[:80]
    Act.objects.create(at=now, actor=actor, verb=Verb.RESET_FACTOR, subject=subject, reason=reason)
    return enrolment.make_link(account, by=actor, now=now)
