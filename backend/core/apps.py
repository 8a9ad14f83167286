"""Puts our site in the place of Django's, and leaves its pages unloaded where nobody can open one."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.core.checks import CheckMessage

from backend.core.generics import make_subscriptable


class AdminConfig(SimpleAdminConfig):
    """Who has addresses has pages: `config/urls.py` loads them. Workers, beat and most commands have neither."""

    default_site = "backend.core.admin_site.Site"

    def ready(self) -> None:
        """As Django's, whose own check of the pages would find none."""
        make_subscriptable()
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Django's check of every page of the admin, loaded first."""
    autodiscover()
    return check_admin_app(app_configs, **options)
