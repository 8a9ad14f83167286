"""The desk's own pages, which stand before the admin's: Today in the place of its front page, and the calendar."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from backend.bookings.admin import today

app_name = "desk"
urlpatterns = [
    path("", admin.site.admin_view(today.front), name="today"),
    path("all/", admin.site.admin_view(admin.site.index), name="all"),
]
