"""Who works here, and as what: an owner invites, changes a role and ends an access, each recorded as an act.

That rights changed stands in the access log, too, by the signals of `backend.audit`; here stands from what to what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction

from backend.accounts import assignments, enrolment
from backend.audit import records
from backend.audit.models import Kind
from backend.bookings.notices import Notice
from backend.ops.models import Act, Verb
from backend.outbox import messages
from backend.outbox.models import Queue
from backend.people.models import Psychologist

ABOUT_COLLEAGUES = (Verb.INVITE, Verb.CHANGE_ROLE, Verb.END_ACCESS, Verb.RESET_FACTOR)


@dataclass(frozen=True)
class Post:
    """What somebody does here. `psychologist`: the person whose account it is, where it is one's."""

    role: str
    psychologist: Psychologist | None = None

    def __str__(self) -> str:
        return f"{self.role} ({self.psychologist})" if self.psychologist else self.role or "none"


@transaction.atomic
def invite(username: str, email: str, post: Post, *, actor: str, now: datetime) -> User:
    """A new account, without a password until its link is used, which is mailed."""
    account = User.objects.create_user(username, email, is_staff=True)
    account = assignments.assign(account.pk, post.role)
    _link_person(account, post.psychologist)
    _mail_link(account, actor=actor, now=now)
    _record(Verb.INVITE, account, str(post), actor=actor, now=now)
    return account


@transaction.atomic
def invite_again(account: User, email: str, *, actor: str, now: datetime) -> None:
    """Another link, maybe to another address; the one before opens nothing any more."""
    account.email = email
    account.save(update_fields=["email"])
    _mail_link(account, actor=actor, now=now)
    _record(Verb.INVITE, account, "again", actor=actor, now=now)
    records.write(Kind.RIGHTS_CHANGED, {"user.enrolment_link": [account.pk]}, actor=actor, now=now)


@transaction.atomic
def change_role(account: User, post: Post, *, actor: str, now: datetime) -> None:
    """From now on this. The account's tokens end; its sessions go on with what is left. Refuses: last_owner."""
    before = post_of(account)
    account = assignments.assign(account.pk, post.role)
    _link_person(account, post.psychologist)
    _record(Verb.CHANGE_ROLE, account, f"{before} → {post}", actor=actor, now=now)


@transaction.atomic
def end_access(account: User, *, reason: str, actor: str, now: datetime) -> None:
    """Sessions, tokens, password and second factor end, and a link that was not used. Refuses: last_owner."""
    account = assignments.end(account.pk)
    _link_person(account, None)
    _record(Verb.END_ACCESS, account, reason, actor=actor, now=now)


def post_of(account: User) -> Post:
    """What the account has now."""
    return Post(assignments.role_of(account), Psychologist.objects.filter(user=account).first())


def acts_about(account: User) -> list[Act]:
    """What owners did about this account, newest first."""
    subject = account.get_username()[:80]
    return list(Act.objects.filter(subject=subject, verb__in=ABOUT_COLLEAGUES)[:50])


def _link_person(account: User, psychologist: Psychologist | None) -> None:
    """The account is theirs and nobody else's."""
    if psychologist is not None and psychologist.user_id == account.pk:
        return
    for before in Psychologist.objects.filter(user=account):
        before.user = None
        before.save(update_fields=["user"])
    if psychologist is not None:
        psychologist.user = account
        psychologist.save(update_fields=["user"])


def _mail_link(account: User, *, actor: str, now: datetime) -> None:
    uuid = messages.emit(
        queue=Queue.MAIL,
        kind=Notice.STAFF_INVITED,
        dedupe_key=f"invitation:{account.pk}:{uuid4()}",  # each press is another
        now=now,
        recipient=account.email,
        subject_id=account.pk,
    )
    enrolment.make_link(account, by=actor, now=now, mail=uuid)


def _record(verb: Verb, account: User, reason: str, *, actor: str, now: datetime) -> None:
    Act.objects.create(at=now, actor=actor, verb=verb, subject=account.get_username()[:80], reason=reason[:300])
