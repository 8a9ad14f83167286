"""What a ledger row says beyond its columns: a frozen value per intent, and the only way in and out of its JSON.

Ids, amounts in paise, instants and days; no personal data. Rows are never rewritten, so what was ever written must
stay readable: a field that comes later is optional, and a key that nobody knows any more is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any, Self, TypeVar, get_args, get_type_hints

from backend.bookings.intents import Intent
from backend.bookings.models import LedgerEntry, Outcome
from backend.payments.models import VoidReason


@dataclass(frozen=True)
class Details:
    """The details of an intent that has nothing to add, and the base of all others."""

    def to_json(self) -> dict[str, object]:
        """For the column. A field with a default is left out while it has it."""
        values = ((one, getattr(self, one.name)) for one in fields(self))
        return {_key(one): _stored(value) for one, value in values if one.default is MISSING or value != one.default}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Self:
        """Reads the column. Raises ValueError, naming the key, for JSON that no version of ours wrote."""
        build: Callable[..., Self] = cls
        return build(**{one.name: _value(cls, one, stored) for one in fields(cls)})


_FROM = {"key": "from"}  # a word of Python's own


@dataclass(frozen=True)
class Undoable(Details):
    """A decision that may be undone, and what it ended: deadline, wish to cancel, choice. Written only then."""

    due_was: datetime | None = field(default=None, kw_only=True)
    asked_was: datetime | None = field(default=None, kw_only=True)
    choice_was: datetime | None = field(default=None, kw_only=True)


# -- the request -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EmailVerified(Details):
    """Who may pay, by the visitor's code or address."""

    corporate: int | None = None


@dataclass(frozen=True)
class RequestedAgain(Details):
    """The booking that we left unanswered; `links.made_again` looks rows up by it."""

    instead_of: int


@dataclass(frozen=True)
class FollowUpBooked(Details):
    """The booking of the session before."""

    follows: int


@dataclass(frozen=True)
class AlternativeTaken(Details):
    """The rejected booking, which of its times, and at what price. A second row, with nothing to pay, says only who
    pays."""

    instead_of: int | None = None
    alternative: int | None = None  # its number in the mail
    psychologist: int | None = None
    amount_paise: int | None = None
    corporate: int | None = None
    not_sponsored_by: int | None = None


@dataclass(frozen=True)
class DeadlineExtended(Details):
    """The booking's deadline, before and after."""

    was: datetime = field(metadata=_FROM)
    to: datetime


# -- the answer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Approved(Undoable):
    """Who gives the session, what it costs, and who pays: the sponsor, or the visitor because it does not cover it."""

    psychologist: int
    amount_paise: int
    corporate: int | None = None
    not_sponsored_by: int | None = None


@dataclass(frozen=True)
class Rejected(Undoable):
    """How many times were offered instead."""

    alternatives: int = 0


@dataclass(frozen=True)
class Sponsored(Details):
    """Who pays; written also when nobody does after all."""

    corporate: int | None


# -- money that comes in -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaymentStarted(Details):
    """The attempt."""

    payment: int


@dataclass(frozen=True)
class Captured(Details):
    """The payment that pays for the booking, or a part of its sum; no sponsor does then."""

    payment: int
    captured_paise: int


@dataclass(frozen=True)
class PaymentVoided(Details):
    """The payment, its sum, why, and the session that was confirmed until then."""

    payment: int
    captured_paise: int
    why: VoidReason
    was_confirmed_for: datetime | None = None


@dataclass(frozen=True)
class UnexpectedlyCaptured(Details):
    """The payment that nobody expected, and the refund that gives it back, if it brought anything."""

    payment: int
    captured_paise: int
    refund: int | None = None


# -- the session -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moved(Details):
    """The session's start and its psychologist, before and after."""

    was: datetime = field(metadata=_FROM)
    to: datetime
    from_psychologist: int
    to_psychologist: int


@dataclass(frozen=True)
class ChoiceOffered(Details):
    """Until when the visitor may choose another time."""

    choose_by: datetime


@dataclass(frozen=True)
class OutcomeRecorded(Details):
    """What was said of the session, before and after, and the sponsor's month that it was returned to or taken from."""

    was: Outcome = field(metadata=_FROM)
    to: Outcome
    returned_to_sponsor: date | None = None
    taken_from_sponsor: date | None = None


# -- calling off, and money that goes back -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Cancelled(Undoable):
    """The sponsor's month that has the session back, and the refunds that go with the cancellation."""

    returned_to_sponsor: date | None = None
    refund: int | None = None
    more_refunds: tuple[int, ...] = ()  # of a sum that was paid in parts


@dataclass(frozen=True)
class NotPaidInTime(Details):
    """An attempt or the time to pay has ended, and with it the refunds of the parts that had been paid."""

    refund: int | None = None
    more_refunds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Undone(Details):
    """The sequence of the decision, the refunds that are not made, and the sponsor's month that has the session."""

    decision: int
    refund: int | None = None
    taken_from_sponsor: date | None = None
    more_refunds: tuple[int, ...] = ()


@dataclass(frozen=True)
class RefundGranted(Details):
    """The refunds, more than one of a sum that was paid in parts, and what they come to."""

    refund: int
    amount_paise: int
    more_refunds: tuple[int, ...] = ()


@dataclass(frozen=True)
class RefundMade(Details):
    """The refund and its sum."""

    refund: int
    amount_paise: int


@dataclass(frozen=True)
class RefundRefused(Details):
    """The refund."""

    refund: int


@dataclass(frozen=True)
class RefundUnfinished(Details):
    """The refund."""

    refund: int


DETAILS: Mapping[Intent, type[Details]] = {
    Intent.VERIFY_EMAIL: EmailVerified,
    Intent.REQUEST_AGAIN: RequestedAgain,
    Intent.BOOK_FOLLOW_UP: FollowUpBooked,
    Intent.TAKE_ALTERNATIVE: AlternativeTaken,
    Intent.EXTEND_DEADLINE: DeadlineExtended,
    Intent.APPROVE: Approved,
    Intent.REJECT: Rejected,
    Intent.SPONSOR: Sponsored,
    Intent.START_PAYMENT: PaymentStarted,
    Intent.RECORD_CAPTURE: Captured,
    Intent.RECORD_DESK_PAYMENT: Captured,
    Intent.VOID_DESK_PAYMENT: PaymentVoided,
    Intent.RECORD_LATE_CAPTURE: Captured,
    Intent.RECORD_UNEXPECTED_CAPTURE: UnexpectedlyCaptured,
    Intent.RESCHEDULE: Moved,
    Intent.OFFER_CHOICE: ChoiceOffered,
    Intent.LAPSE_CHOICE: Cancelled,
    Intent.RECORD_OUTCOME: OutcomeRecorded,
    Intent.CANCEL: Cancelled,
    Intent.UNDO_DECISION: Undone,
    Intent.GRANT_REFUND: RefundGranted,
    Intent.FAIL_ATTEMPT: NotPaidInTime,
    Intent.END_IDLE_ATTEMPT: NotPaidInTime,
    Intent.PAYMENT_TIMED_OUT: NotPaidInTime,
    Intent.REFUND_MADE: RefundMade,
    Intent.REFUND_REFUSED: RefundRefused,
    Intent.REFUND_UNFINISHED: RefundUnfinished,
}
D = TypeVar("D", bound=Details)


def kind_of(intent: Intent) -> type[Details]:
    """The kind of details that rows of this intent have; plain `Details` where they have none."""
    return DETAILS.get(intent, Details)


def typed_details(entry: LedgerEntry) -> Details:
    """The row's details, as its intent's kind."""
    return kind_of(Intent(entry.intent)).from_json(entry.details)


def details_of(entry: LedgerEntry, kind: type[D]) -> D:
    """The row's details, where the caller knows the intent. Raises TypeError when it is another."""
    details = typed_details(entry)
    if not isinstance(details, kind):
        raise TypeError(f"ledger row {entry} has {type(details).__name__}, not {kind.__name__}")
    return details


def payment_named(entry: LedgerEntry) -> int | None:
    """The payment that the row speaks of."""
    match typed_details(entry):
        case (
            PaymentStarted(payment=payment)
            | Captured(payment=payment)
            | PaymentVoided(payment=payment)
            | UnexpectedlyCaptured(payment=payment)
        ):
            return payment
    return None


def refunds_named(entry: LedgerEntry) -> tuple[int, ...]:
    """The refunds that the row caused, or the one whose end it tells."""
    match typed_details(entry):
        case RefundMade(refund=refund) | RefundRefused(refund=refund) | RefundUnfinished(refund=refund):
            return (refund,)
        case UnexpectedlyCaptured(refund=caused):
            return () if caused is None else (caused,)
        case (
            Cancelled(refund=first, more_refunds=more)
            | NotPaidInTime(refund=first, more_refunds=more)
            | RefundGranted(refund=first, more_refunds=more)
        ):
            return () if first is None else (first, *more)
    return ()


# -- JSON --------------------------------------------------------------------------------------------------------------


def _key(one: Field[object]) -> str:
    return str(one.metadata.get("key", one.name))


def _stored(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value  # an instant is a date too


# the types that each field may have
_DECLARED: Mapping[type[Details], Mapping[str, tuple[Any, ...]]] = {
    kind: {name: get_args(hint) or (hint,) for name, hint in get_type_hints(kind).items()} for kind in DETAILS.values()
}


def _value(cls: type[Details], one: Field[object], stored: Mapping[str, object]) -> object:
    """A missing key is the default, or None where the field may be that: an older row says less."""
    allowed = _DECLARED[cls][one.name]
    if _key(one) not in stored and one.default is not MISSING:
        return one.default
    value = stored.get(_key(one))
    if value is None and NoneType in allowed:
        return None
    kind = allowed[0]
    if Ellipsis in allowed and isinstance(value, list) and all(type(one) is kind for one in value):
        return tuple(value)
    if isinstance(value, str) and issubclass(kind, date):
        return kind.fromisoformat(value)
    if isinstance(value, str) and issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{cls.__name__}: {_key(one)!r} is {value!r}, not {kind.__name__}")
    return value
