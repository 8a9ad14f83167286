"""What a channel to a person's telephone does for us: it sends registered templates, and says what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from backend.core.errors import Transient
from backend.outbox.models import Delivery

VARIABLE_LONGEST = 40  # characters: what India's registers of templates (DLT) let through in place of one variable


class ChannelName(StrEnum):
    """Stands in addresses, in consents and in the outbox."""

    WHATSAPP = "whatsapp"
    SMS = "sms"
    CUSTOM = "custom"  # a server of the practice's own choice, which is called as a webhook


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


@dataclass(frozen=True)
class TemplateMessage:
    """A template and what is filled in: short words in one line each, so that nothing that somebody wrote can leave.

    Raises ValueError for anything else; it quotes no value.
    """

    template: Template
    language: str  # "en", "hi": the template is registered in each
    variables: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.template.variables
        if len(self.variables) != len(names):
            raise ValueError(f"{self.template} has {len(names)} variables, not {len(self.variables)}")
        for name, value in zip(names, self.variables, strict=True):
            if not 0 < len(value) <= VARIABLE_LONGEST or not value.isprintable() or value != value.strip():
                raise ValueError(f"{self.template}: {name} is empty, too long or not one line of printable characters")


@dataclass(frozen=True)
class ChannelReport:
    """What became of a message, known by the key that we sent along, where the provider says it again, or by its id."""

    message_uuid: UUID | None
    provider_message_id: str
    delivery: Delivery  # DELIVERED, or BOUNCED: it never will be


@dataclass(frozen=True)
class StopRequest:
    """Whoever has this telephone (E.164) wants no more messages."""

    phone: str


class ChannelTrouble(Transient):
    """The channel takes nothing of this kind from us: our key, our bill, a template that is not approved or was paused.

    No fault of this message, and nothing that a minute mends. Not `AccountTrouble`: that would hold the whole queue.
    """


class Channel(Protocol):
    """One service. It may be asked by several workers at once."""

    def send(self, message: TemplateMessage, *, phone: str, key: UUID) -> str:
        """The provider's id of the message. `phone` is E.164; `key` is the same however often this message is tried.

        Raises OutsideFailure, whose `surely_not_sent` says whether it can have been taken: `Permanent` if this person
        cannot be reached so, `ChannelTrouble` if nobody can at present, `Transient` for the rest.
        """

    def read(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> list[ChannelReport | StopRequest]:
        """What a webhook says that is of use to us; empty if it says nothing else. `headers` are looked up without
        regard to case, as Django's. Refuses: signature_invalid.
        """
