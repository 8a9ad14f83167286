"""The bookings app; keeps the ledger's triggers in place after every migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BookingsConfig(AppConfig):
    name = "backend.bookings"
    label = "bookings"
    verbose_name = "Bookings"

    def ready(self) -> None:
        from backend.bookings import checks, ledger_triggers  # noqa: F401  # models must be loaded first

        post_migrate.connect(ledger_triggers.install_triggers, sender=self)
