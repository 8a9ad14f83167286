"""The domain's one "no", the two ways in which an outside service can fail us, and one in which we fail ourselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Code(StrEnum):
    """Why an intent was refused. Stable: clients branch on it. `bookings.refusals` gives each its status
    and sentence."""

    # what was asked for does not exist, or the asker may not know that it does
    BOOKING_UNKNOWN = "booking_unknown"
    LINK_UNKNOWN = "link_unknown"
    PAYMENT_UNKNOWN = "payment_unknown"
    REFUND_UNKNOWN = "refund_unknown"
    TOO_MANY_MISSES = "too_many_misses"
    LOGIN_FAILED = "login_failed"
    TOO_MANY_LOGINS = "too_many_logins"
    TOO_MANY_REQUESTS = "too_many_requests"
    # a request that carries a key
    KEY_MALFORMED = "idempotency_key_malformed"
    KEY_REUSED = "idempotency_key_reused"
    KEY_IN_USE = "idempotency_key_in_use"
    CHANGED_SINCE = "changed_since"
    ROW_IN_USE = "row_in_use"
    SCOPE_MISSING = "scope_missing"
    # the link is spent
    LINK_EXPIRED = "link_expired"
    DRAFT_LAPSED = "draft_lapsed"
    DRAFT_SUPERSEDED = "draft_superseded"
    OPEN_IN_BROWSER = "open_in_browser"
    # the booking's state refuses it
    STATE_REFUSES = "state_refuses"
    ALREADY_ACTIVE = "already_active"
    ALREADY_PAID = "already_paid"
    NOTHING_TO_PAY = "nothing_to_pay"
    PAY_BY_PASSED = "pay_by_passed"
    PAYMENT_NOT_CONFIRMED = "payment_not_confirmed"
    PAY_BY_LINK = "pay_by_link"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_RETURNED = "payment_returned"
    PAYMENTS_UNAVAILABLE = "payments_unavailable"
    CANCELLATION_PENDING = "cancellation_pending"
    CONFIRM_BY_EMAIL = "confirm_by_email"
    CANCEL_TOO_LATE = "cancel_too_late"
    MOVE_TOO_LATE = "move_too_late"
    MOVES_USED_UP = "moves_used_up"
    CHOICE_OPEN = "choice_open"
    CHOICE_TOO_NEAR = "choice_too_near"
    NO_ADDRESS = "no_address"
    CHANNEL_UNAVAILABLE = "channel_unavailable"
    PHONE_REQUIRED = "phone_required"
    NOT_CANCELLED_YET = "not_cancelled_yet"
    MONEY_DAY_INVALID = "money_day_invalid"
    AMOUNT_EXCEEDS_REST = "amount_exceeds_rest"
    PART_PAID = "part_paid"
    NOT_PAID_AT_DESK = "not_paid_at_desk"
    PAYMENT_GIVEN_BACK = "payment_given_back"
    MONEY_RETURNING = "money_returning"
    REFUND_EXCEEDS_CAPTURE = "refund_exceeds_capture"
    REFUND_AT_GATEWAY = "refund_at_gateway"
    REFUND_REASON_REQUIRED = "refund_reason_required"
    UNDO_CLOSED = "undo_closed"
    OUTCOME_CLOSED = "outcome_closed"
    SPONSOR_UNKNOWN = "sponsor_unknown"
    SPONSOR_DOES_NOT_COVER = "sponsor_does_not_cover"
    MONTH_NOT_SPONSORED = "month_not_sponsored"
    TOO_MANY_ENQUIRIES = "too_many_enquiries"
    LAST_OWNER = "last_owner"
    # staff's choice does not hold
    SLOT_TAKEN = "slot_taken"
    TIME_BOOKED = "time_booked"
    SLOT_PAST = "slot_past"
    SLOT_TOO_NEAR = "slot_too_near"
    SLOT_INVALID = "slot_invalid"
    OUTSIDE_HOURS = "outside_hours"
    NO_FREE_SLOT = "no_free_slot"
    TOO_MANY_ALTERNATIVES = "too_many_alternatives"
    SERIES_TOO_LONG = "series_too_long"
    PSYCHOLOGIST_REQUIRED = "psychologist_required"
    MEETING_LINK_REQUIRED = "meeting_link_required"
    ADDRESS_REQUIRED = "address_required"
    GUARDIAN_CONSENT_REQUIRED = "guardian_consent_required"
    AMOUNT_INVALID = "amount_invalid"
    # the draft's own fields
    DATE_PAST = "date_past"
    AGE_REFUSED = "age_refused"
    WISH_UNKNOWN = "wish_unknown"
    WISH_PAST = "wish_past"
    CONTACT_REQUIRED = "contact_required"
    # an incoming webhook
    SIGNATURE_INVALID = "signature_invalid"


class Refused(Exception):
    """An intent's refusal. Nothing was written. `context` carries what the door may show, e.g. `free_slots`."""

    def __init__(self, code: Code, **context: object) -> None:
        super().__init__(code.value)
        self.code = code
        self.context = context


def hindrance(check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Code | None:
    """Why `check` refuses; None: it does not."""
    try:
        check(*args, **kwargs)
    except Refused as refused:
        return refused.code
    return None


class OutsideFailure(Exception):
    """An outside service failed us.

    `surely_not_sent`: it cannot have taken what we asked. `says_it_failed`: it answered that it did not manage, which
    is mostly so. With neither, nobody knows.
    """

    def __init__(self, message: str = "", *, surely_not_sent: bool = False, says_it_failed: bool = False) -> None:
        super().__init__(message)
        self.surely_not_sent = surely_not_sent
        self.says_it_failed = says_it_failed


class Transient(OutsideFailure):
    """Trying again may mend it."""


class Unreadable(Transient):
    """It answered, but not with what was asked for: nothing is known of this one thing. Others can be asked after."""


class AccountTrouble(Transient):
    """It refuses whatever we ask: a used-up quota, a key, a bill. No fault of this request, so nothing is counted."""


class Permanent(OutsideFailure):
    """It refused for good; trying again cannot help."""


@contextmanager
def before_it_leaves() -> Iterator[None]:
    """Whatever fails in the block, a crash included, surely sent nothing."""
    try:
        yield
    except Exception as error:
        error.surely_not_sent = True  # type: ignore[attr-defined]
        raise


def was_surely_not_sent(error: Exception) -> bool:
    """Whether the outside cannot have taken what was asked."""
    return bool(getattr(error, "surely_not_sent", False))


class Missing(Exception):
    """A value is empty that our own rules guarantee: a bug of ours, so it is caught nowhere."""


def required(value: T | None, name: str, of: object = "") -> T:
    """The value, which is there. Raises Missing, naming what is empty and of what."""
    if value is None:
        raise Missing(f"{name} is empty: {of!r}" if of else f"{name} is empty")
    return value
