"""What somebody of the practice may see and do: the roles, and what each question to them is called.

A role is a group of Django's, made by a migration; an owner may change its permissions. An account has one role, given
by `backend.ops.colleagues`, or is an owner's: a superuser, who may everything. Which rows and which words of a booking
somebody sees is told from these by `backend.bookings.access`. docs/roles.md shows what comes of it, page by page.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """The names of the groups."""

    RECEPTIONIST = "Receptionist"
    PSYCHOLOGIST = "Psychologist"
    DUTY_PSYCHOLOGIST = "Duty psychologist"
    MANAGER = "Manager"
    AUDITOR = "Auditor"
    OPERATOR = "Operator"


OWNER = "Owner"  # has no group: a superuser
MEANS: dict[str, str] = {  # as whoever gives a role reads it
    Role.RECEPTIONIST: "the schedule; telephone numbers at a recorded click, no message",
    Role.PSYCHOLOGIST: "their own bookings, messages included",
    Role.DUTY_PSYCHOLOGIST: "their own bookings, and the requests that nobody has taken yet",
    Role.MANAGER: "bookings, people, money; no message",
    Role.AUDITOR: "the history, money and reports; no visitor",
    Role.OPERATOR: "queues, timers and what they could not send",
    OWNER: "everything, and who may what",
}
OF_A_PERSON = (Role.PSYCHOLOGIST, Role.DUTY_PSYCHOLOGIST)  # what they see is told from whose account it is


class Ability(StrEnum):
    """What is asked beyond Django's own permissions of a model's pages; the value is the permission."""

    SEE_BOOKINGS = "bookings.view_booking"
    DECIDE = "bookings.change_booking"  # every intent of staff, about every booking
    SEE_OWN = "bookings.view_own_booking"
    DECIDE_OWN = "bookings.change_own_booking"  # move, book the next, record the outcome
    SEE_UNASSIGNED = "bookings.view_unassigned_booking"  # read, approve and decline what no psychologist has yet
    READ_MESSAGES = "bookings.view_user_message"  # of every booking
    SEE_PHONES = "bookings.view_phone_number"
    REVEAL_PHONES = "bookings.reveal_phone_number"  # one at a time, recorded
    SEE_MONEY = "payments.view_payment"  # and the practice in numbers
    SEND_AWAY = "people.add_timeoff"
    SEE_CLIENTS = "people.view_client"
    ERASE_CLIENTS = "people.delete_client"
    OPERATE = "ops.add_act"
    SEE_WEBHOOKS = "webhooks.view_subscription"
    MANAGE_WEBHOOKS = "webhooks.change_subscription"
    SEE_ACCESS_LOG = "audit.view_accessrecord"  # who read what


SEES_SOME_BOOKINGS = (Ability.SEE_BOOKINGS, Ability.DECIDE, Ability.SEE_OWN, Ability.SEE_UNASSIGNED)


class Asker(Protocol):
    """An account; whoever is not logged in may nothing."""

    def has_perm(self, perm: str) -> bool: ...


class Account(Protocol):
    """One of Django's, or nobody's."""

    @property
    def is_active(self) -> bool: ...

    @property
    def is_superuser(self) -> bool: ...


def is_owner(account: Account) -> bool:
    """Whether they may everything, and say who may what."""
    return account.is_active and account.is_superuser


def has_any_permission(user: Asker, *abilities: Ability) -> bool:
    """Whether they have one of these."""
    return any(user.has_perm(ability) for ability in abilities)


def mask_digits(text: str) -> str:
    """Every digit but the last three: `Vikram •••••••210`."""
    return re.sub(r"\d(?=(?:\D*\d){3})", "•", text)
