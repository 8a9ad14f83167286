"""The stock pages of accounts, roles and tokens, as far as they stay: what they would change the desk changes.

One page gives an account its role, `backend/desk/account/`, and one makes tokens, so that neither is given by a click
that nobody meant. What a role may do is an owner's to change here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from knox.models import AuthToken

from backend.core.admin_pages import ReadOnly

for model in (AuthToken, Group, User):
    admin.site.unregister(model)


@admin.register(User)
class AccountAdmin(ReadOnly, UserAdmin[User]):
    """To look at: `Colleagues` of the desk invites, gives roles and ends."""

    fieldsets = ((None, {"fields": ("username", "email", "groups", "is_superuser", "is_active", "last_login")}),)
    list_display = ("username", "email", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active", "groups")


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """What each role may do. Which there are, and their names, the code asks for: `backend.accounts.roles`."""

    readonly_fields = ("name",)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
