"""The rooms app: where an online session takes place."""

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "backend.rooms"
    label = "rooms"
    verbose_name = "Rooms"

    def ready(self) -> None:
        from backend.rooms import checks  # noqa: F401  # registers itself
