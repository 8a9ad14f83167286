"""The desk's own pages, which stand before the admin's: Today in the place of its front page, and the calendar."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from backend.desk.calendar import page
from backend.desk.dashboard import page as today

app_name = "desk"
urlpatterns = [
    path("", admin.site.admin_view(today.front), name="today"),
    path("calendar/", admin.site.admin_view(page.page), name="calendar"),
    path("calendar/sessions/", admin.site.admin_view(page.sessions), name="sessions"),
    path("calendar/shades/", admin.site.admin_view(page.shades), name="shades"),
    path("calendar/day/", admin.site.admin_view(page.day_list), name="day"),
    path("all/", admin.site.admin_view(admin.site.index), name="all"),
]
