"""Knox's own page of tokens is closed: the desk makes them, with a name, a scope and a fresh proof."""

from __future__ import annotations

from django.contrib import admin
from knox.models import AuthToken

admin.site.unregister(AuthToken)
