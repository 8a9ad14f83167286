"""The API app; it owns only the count of look-ups that missed."""

from django.apps import AppConfig
from django.core.signals import request_started


class ApiConfig(AppConfig):
    name = "backend.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in  # models are not there before

        from backend.accounts.verification import password_proved
        from backend.api import logins
        from backend.api.bounds import bound_headers
        from backend.api.content_type import mend_content_type

        request_started.connect(bound_headers, dispatch_uid="api.bound_headers")
        request_started.connect(mend_content_type, dispatch_uid="api.mend_content_type")
        for proved in (user_logged_in, password_proved):
            proved.connect(logins.give_back, dispatch_uid="api.give_back_login")
