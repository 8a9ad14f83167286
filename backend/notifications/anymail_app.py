"""The application of the library that hands mails to providers, in place of its own."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage


class AnymailConfig(AppConfig):
    """Its own loads its checks in every process, and requests with them."""

    name = "anymail"

    def ready(self) -> None:
        checks.register(_check_settings)


def _check_settings(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    from anymail.checks import check_deprecated_settings, check_insecure_settings

    return [*check_deprecated_settings(app_configs, **options), *check_insecure_settings(app_configs, **options)]
