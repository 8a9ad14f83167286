"""Which role an account has, giving it another, and ending what it opens. The last owner who can come in stays one."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q

from backend.accounts import second_factor, tokens
from backend.accounts.models import EnrolmentLink
from backend.accounts.roles import OWNER
from backend.core.errors import Code, Refused


def role_of(account: User) -> str:
    """As people call it; an account from before may have several, or none."""
    return OWNER if account.is_superuser else ", ".join(sorted(group.name for group in account.groups.all()))


@transaction.atomic
def assign(account_id: int, role: str) -> User:
    """This role and nothing beside it. Its tokens end: what they may do would change unseen. Refuses: last_owner."""
    account = _locked(account_id, stays_owner=role == OWNER)
    account.is_superuser = role == OWNER
    account.save(update_fields=["is_superuser"])
    account.user_permissions.set([])
    account.groups.set([] if role == OWNER else [Group.objects.get(name=role)])
    tokens.revoke_all(account)
    return account


@transaction.atomic
def end(account_id: int) -> User:
    """It opens nothing any more, and its name is not used again: records name it. Refuses: last_owner."""
    account = _locked(account_id, stays_owner=False)
    account.is_active = account.is_superuser = False
    account.set_unusable_password()
    account.save(update_fields=["is_active", "is_superuser", "password"])
    account.user_permissions.set([])
    account.groups.set([])
    second_factor.forget(account)
    tokens.revoke_all(account)
    EnrolmentLink.objects.filter(account=account).delete()
    return account


def _locked(account_id: int, *, stays_owner: bool) -> User:
    """With all owners, in one order: of two who end each other's rights, the second finds what the first did.

    Raises User.DoesNotExist.
    """
    rows = User.objects.select_for_update().filter(Q(pk=account_id) | Q(is_superuser=True), is_active=True)
    found = {row.pk: row for row in rows.order_by("pk")}
    account = found.pop(account_id, None)
    if account is None:
        raise User.DoesNotExist  # another owner ended it a moment ago
    others = (row for row in found.values() if row.is_superuser and second_factor.is_set_up(row))
    if account.is_superuser and not stays_owner and next(others, None) is None:
        raise Refused(Code.LAST_OWNER)
    return account
