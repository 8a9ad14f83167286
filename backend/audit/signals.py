"""Log-ins and changes of rights, wherever they are made: desk, API or command."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import m2m_changed, post_save, pre_save
from django.utils import timezone

from backend.accounts.verification import factor_refused
from backend.audit.models import AccessRecord, Kind
from backend.audit.records import current_actor, write
from backend.bookings import actors

REFUSALS_AN_HOUR = 20  # of an account: recovery codes and passkeys are taken as often as they come
RIGHTS = ("is_active", "is_staff", "is_superuser")
_CHANGES = ("post_add", "post_remove", "pre_clear")
_MANY = (User.groups.through, User.user_permissions.through, Group.permissions.through)


def connect() -> None:
    """Called once, when the apps are ready."""
    user_logged_in.connect(_logged_in)
    user_login_failed.connect(_login_failed)
    factor_refused.connect(_factor_refused)
    pre_save.connect(_compare_rights, sender=User)
    post_save.connect(_rights_stored, sender=User)
    for through in _MANY:
        m2m_changed.connect(_many_changed, sender=through)


def _logged_in(user: User, **_signal: Any) -> None:
    write(Kind.LOGGED_IN, {"user.login": [user.pk]}, actor=actors.for_account(user), now=timezone.now())


def _login_failed(credentials: Mapping[str, Any], request: object = None, **_signal: Any) -> None:
    """Of an unknown name it is recorded that somebody tried, and not what was typed."""
    if request is not None:
        found = User.objects.filter(username=credentials.get("username", "")).values_list("pk", flat=True)
        write(Kind.LOGIN_FAILED, {"user.login": list(found)}, actor=actors.STRANGER, now=timezone.now())


def _factor_refused(account: User, now: datetime, **_signal: Any) -> None:
    """Of somebody who has the password, the session or the one-time link already."""
    lately = AccessRecord.objects.filter(kind=Kind.FACTOR_REFUSED, subject="user", subject_id=account.pk)
    if lately.filter(at__gt=now - timedelta(hours=1)).count() < REFUSALS_AN_HOUR:
        shown = {"user.second_factor": [account.pk]}
        write(Kind.FACTOR_REFUSED, shown, actor=actors.for_account(account), now=now)


def _many_changed(
    instance: User | Group,
    action: str,
    model: type[User | Group],
    pk_set: set[int] | None,
    reverse: bool,
    **_signal: Any,
) -> None:
    """Roles of an account, its own permissions, or those of a role."""
    if action not in _CHANGES or (pk_set is not None and not pk_set):
        return
    changed, ids = (model, pk_set or ()) if reverse else (type(instance), (instance.pk,))
    shown = {f"{changed._meta.model_name}.rights": list(ids)}
    write(Kind.RIGHTS_CHANGED, shown, actor=current_actor(), now=timezone.now())


def _compare_rights(instance: User, raw: bool, update_fields: frozenset[str] | None, **_signal: Any) -> None:
    """One query more, when an account is stored with its rights."""
    instance._changes_rights = False  # type: ignore[attr-defined]
    if raw or (update_fields is not None and not update_fields & set(RIGHTS)):
        return
    given = tuple(getattr(instance, name) for name in RIGHTS)
    before = User.objects.filter(pk=instance.pk).values_list(*RIGHTS).first() if instance.pk else None
    instance._changes_rights = given[1:] != (False, False) if before is None else given != before  # type: ignore[attr-defined]


def _rights_stored(instance: User, **_signal: Any) -> None:
    if getattr(instance, "_changes_rights", False):
        write(Kind.RIGHTS_CHANGED, {"user.rights": [instance.pk]}, actor=current_actor(), now=timezone.now())
