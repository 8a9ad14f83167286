"""The audit app; keeps its record append-only after every migration, and hears of log-ins and roles."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "backend.audit"
    label = "audit"
    verbose_name = "Who read what"

    def ready(self) -> None:
        from backend.audit import checks, guard, signals  # noqa: F401  # models must be loaded first

        post_migrate.connect(guard.GUARD.install, sender=self)
        signals.connect()
