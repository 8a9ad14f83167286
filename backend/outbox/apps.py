"""The outbox app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "backend.outbox"
    label = "outbox"
    verbose_name = "Outbox"

    def ready(self) -> None:
        from backend.outbox import messages  # noqa: F401  # its variable must be known when names are judged
