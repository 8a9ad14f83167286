"""The desk app; it owns no model: its pages show those of others."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "backend.desk"
    label = "desk"
    verbose_name = "Desk"
