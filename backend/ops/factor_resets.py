"""Taking an account's second factor away, with the link that sets up another: recorded like all that operators do."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from knox.models import AuthToken

from backend.accounts import enrolment, second_factor
from backend.audit import records
from backend.audit.models import Kind
from backend.ops.models import Act, Verb


@transaction.atomic
def reset_factor(account: User, *, actor: str, reason: str, now: datetime) -> str:
    """The token of a new one-time link, told this once. Sessions and tokens end; the link asks for the password."""
    second_factor.forget(account)
    AuthToken.objects.filter(user=account).delete()
    subject = account.get_username()[:80]
    Act.objects.create(at=now, actor=actor, verb=Verb.RESET_FACTOR, subject=subject, reason=reason)
    records.write(Kind.RIGHTS_CHANGED, {"user.second_factor": [account.pk]}, actor=actor, now=now)
    return enrolment.make_link(account, by=actor, now=now)
