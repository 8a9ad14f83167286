"""The desk's own pages, which stand before the admin's: Today in the place of its front page, and the calendar."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from backend.desk.account import urls as account
from backend.desk.calendar import busy
from backend.desk.calendar import page as calendar
from backend.desk.dashboard import page as dashboard
from backend.desk.reports import accounts_page, numbers_page

app_name = "desk"
urlpatterns = [
    *(
        page.url(admin.site)
        for page in (dashboard.PAGE, *calendar.PAGES, *busy.PAGES, numbers_page.PAGE, accounts_page.PAGE)
    ),
    *account.urls(admin.site),
    path("all/", admin.site.admin_view(admin.site.index), name="all"),
]
