"""The API app; it owns only the count of look-ups that missed."""

from django.apps import AppConfig
from django.core.signals import request_started


class ApiConfig(AppConfig):
    name = "backend.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from backend.api.reading import mend_content_type  # needs settings that are read

        request_started.connect(mend_content_type, dispatch_uid="api.mend_content_type")
