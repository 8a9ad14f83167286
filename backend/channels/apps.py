"""The channels app: what reaches a person beside mail."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "backend.channels"
    label = "channels"
    verbose_name = "Channels"
