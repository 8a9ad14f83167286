"""The ops app; it owns the heartbeats of workers and beat, and the record of what operators did."""

from django.apps import AppConfig
from django.conf import settings

from backend.core import environment


class OpsConfig(AppConfig):
    name = "backend.ops"
    label = "ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Refuse misspelt names, now that every variable is known; send reports if asked to."""
        environment.refuse_misspelt(settings.NAMES_IN_ENV_FILE, settings.ENV_FILE)
        if settings.SENTRY_DSN:  # off by default, and then not even loaded
            from backend.ops import error_reports

            error_reports.init_sentry(settings.SENTRY_DSN, server_name=settings.NODE_NAME)
