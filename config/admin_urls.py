"""The admin's own pages, behind the desk's."""

from __future__ import annotations

from django.contrib import admin

import config.desk_urls  # noqa: F401 -- it loads what the admin has pages of

urlpatterns = admin.site.get_urls()
