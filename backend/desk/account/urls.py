"""Their addresses. Two are open to who has not done the second step: `middleware.WITHOUT_SECOND_STEP`."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backend.desk.account.colleagues import PAGES
from backend.desk.account.enrol import enrol
from backend.desk.account.own import app, own
from backend.desk.account.second_step import confirm, second_step
from backend.desk.account.tokens import listed, make


def urls(site: AdminSite) -> list[URLPattern]:
    """Below `admin/`."""
    return [
        path("account/second-step/", second_step, name="second_step"),
        path("account/enrol/", enrol, name="enrol"),
        path("account/confirm/", site.admin_view(confirm), name="confirm"),
        path("account/", site.admin_view(own), name="account"),
        path("account/app/", site.admin_view(app), name="account_app"),
        path("account/tokens/", site.admin_view(listed), name="tokens"),
        path("account/tokens/new/", site.admin_view(make), name="token_new"),
        *(page.url(site) for page in PAGES),
    ]
