"""The payments app; keeps the triggers of receipts in place after every migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    name = "backend.payments"
    label = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        from backend.payments import checks  # noqa: F401  # models must be loaded first
        from backend.payments.receipt_models import GUARDS

        for guard in GUARDS:
            post_migrate.connect(guard.install, sender=self)
