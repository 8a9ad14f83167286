"""What channels and templates are called, in settings, too: nothing here needs a database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ChannelName(StrEnum):
    """Stands in addresses, in consents and in the outbox."""

    WHATSAPP = "whatsapp"
    SMS = "sms"
    CUSTOM = "custom"  # a server of the practice's own choice, which is called as a webhook


class ReminderWay(StrEnum):
    """How somebody is reminded: by mail, or by a channel. The words of requests and answers."""

    EMAIL = "email"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    CUSTOM = "custom"


class Template(StrEnum):
    """What may be said at all. Each was registered with the provider, which sends nothing else."""

    SESSION_APPROACHING = "session_approaching"
    SESSION_IMMINENT = "session_imminent"

    @property
    def variables(self) -> tuple[str, ...]:
        """What is filled in, in this order."""
        return _VARIABLES[self]


_VARIABLES: Mapping[Template, tuple[str, ...]] = {
    Template.SESSION_APPROACHING: ("day", "time"),
    Template.SESSION_IMMINENT: ("day", "time"),
}
