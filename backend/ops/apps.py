"""The ops app; it owns the signs of life that workers and beat leave, and the record of what operators did."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "backend.ops"
    label = "ops"
    verbose_name = "Operations"
