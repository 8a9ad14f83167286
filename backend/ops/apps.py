"""The ops app; it owns the signs of life that workers and beat leave, and the record of what operators did."""

from django.apps import AppConfig
from django.conf import settings


class OpsConfig(AppConfig):
    name = "backend.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Off by default, and then not even loaded."""
        if settings.SENTRY_DSN:
            from backend.ops import error_reports

            error_reports.begin(settings.SENTRY_DSN, server_name=settings.NODE_NAME)
