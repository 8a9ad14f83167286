"""What travels between the sandbox gateway and its adapter: JSON shapes, header names and the webhook's signature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.core.outgoing.fields import Fields, Malformed, member
from backend.payments.stamped import sign as sign  # webhooks are signed in Stripe's scheme

KEY_HEADER = "X-Sandbox-Key"
SIGNATURE_HEADER = "X-Sandbox-Signature"
HOOK_PATH = "/api/hooks/payments/sandbox/"


class Behaviour(StrEnum):
    """What the sandbox does with what is asked of one order and of its refunds."""

    CAPTURE = "capture"  # captures when asked to complete; refunds at once
    DECLINE = "decline"  # declines when asked to complete; refuses refunds
    SLOW = "slow"  # does it at once, but answers complete and refund only after `seconds`
    UNREACHABLE = "unreachable"  # hangs up on everything for `seconds` from now, then behaves as CAPTURE
    LATE = "late"  # answers OPEN or PENDING, and does it by itself `seconds` after the first ask


DEFAULT_SECONDS = {
    Behaviour.CAPTURE: 0,
    Behaviour.DECLINE: 0,
    Behaviour.SLOW: 8,  # more than the 5 s for which we wait
    Behaviour.UNREACHABLE: 60,
    Behaviour.LATE: 5,
}


@dataclass(frozen=True)
class Instruction:
    """A behaviour and its span in seconds."""

    behaviour: Behaviour
    seconds: float


def read_instant(text: str) -> float:
    """Unix seconds as they stand in an address. Raises `Malformed`."""
    try:
        seconds = float(text)
    except ValueError as error:
        raise Malformed("not Unix seconds") from error
    if not 0 <= seconds < 2**40:
        raise Malformed("not Unix seconds")
    return seconds


def read_instruction(fields: Fields) -> Instruction:
    """Raises `Malformed`. `seconds` may be missing: each behaviour has its own default."""
    behaviour = member(Behaviour, fields.text("behaviour"))
    seconds = fields.data.get("seconds", DEFAULT_SECONDS[behaviour])
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 86_400:
        raise Malformed("seconds: not a number from 0 to 86400")
    return Instruction(behaviour, float(seconds))
