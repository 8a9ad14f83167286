"""The workers app; it owns the release command and the memory of the installed schedule."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
