"""What a channel to a person's telephone does for us: it sends registered templates, and says what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from backend.channels.names import ChannelName as ChannelName
from backend.channels.names import Template as Template
from backend.channels.trouble import ChannelTrouble as ChannelTrouble
from backend.outbox.models import Delivery

VARIABLE_LONGEST = 40  # characters: what India's registers of templates (DLT) let through in place of one variable


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


class Channel(Protocol):
    """One service. It may be asked by several workers at once."""

    languages: frozenset[str]  # in which it has every template, "en" among them

    def send(self, message: TemplateMessage, *, phone: str, key: UUID) -> str:
        """The provider's id of the message. `phone` is E.164; `key` is the same however often this message is tried.

        Raises OutsideFailure, whose `surely_not_sent` says whether it can have been taken: `Permanent` if this person
        cannot be reached so, `ChannelTrouble` if nobody can at present, `Transient` for the rest.
        """

    def read(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> list[ChannelReport | StopRequest]:
        """What a webhook says that is of use to us; empty if it says nothing else. `headers` are looked up without
        regard to case, as Django's. Refuses: signature_invalid.
        """


@runtime_checkable
class Challenged(Protocol):
    """A channel whose service asks first whether the address that it was given is ours."""

    def challenge(self, given: Mapping[str, str]) -> str:
        """What it wants to be told. Refuses: signature_invalid."""
