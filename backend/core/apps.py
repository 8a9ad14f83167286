"""Puts our site in the place of Django's, and leaves its pages unloaded where nobody can open one."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.core.checks import CheckMessage

from backend.core.generics import make_subscriptable

LATE = ("celery.schedules", "icalendar", "prometheus_client", "segno", "webauthn")


class AdminConfig(SimpleAdminConfig):
    """Who has addresses has pages: `config/urls.py` loads them. Workers, beat and most commands have neither."""

    default_site = "backend.core.admin_site.Site"

    def ready(self) -> None:
        """As Django's, whose own check of the pages would find none."""
        make_subscriptable()
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)
        checks.register(check_late_libraries)


def check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Django's check of every page of the admin, loaded first."""
    autodiscover()
    return check_admin_app(app_configs, **options)


def check_late_libraries(**_options: Any) -> list[CheckMessage]:
    """What a web process loads for the first who needs it: a release finds out that one is missing, not that person."""
    return [message for name in LATE if (message := _unloadable(name)) is not None]


def _unloadable(name: str) -> CheckMessage | None:
    try:
        import_module(name)
    except ImportError as error:
        return checks.Error(f"{name} cannot be loaded: {error}", id="core.E001")
    return None
