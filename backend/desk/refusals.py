"""What staff read when the lifecycle refuses: one sentence a code, beside the field it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from backend.bookings import policy
from backend.bookings.lifecycle.alternatives import ALTERNATIVES_MOST
from backend.bookings.lifecycle.follow_ups import SERIES_MOST
from backend.bookings.models import Booking, LedgerEntry
from backend.core.errors import Code, Refused
from backend.core.formatting import NOTHING, short_day_and_time, short_span
from backend.desk.booking.slot_choices import TAKEN
from backend.scheduling.claims import Slot


class Answer(NamedTuple):
    """How a refusal is shown: the page's status, the field it belongs to (none: the whole form), and the sentence."""

    status: int
    field: str | None
    sentence: str


ANSWERS: dict[Code, Answer] = {
    Code.BOOKING_UNKNOWN: Answer(404, None, "This booking does not exist any more."),
    Code.STATE_REFUSES: Answer(409, None, "This booking was dealt with before you. {last_step} Nothing was changed."),
    Code.CANCELLATION_PENDING: Answer(
        409,
        "despite_cancellation_request",
        "The visitor asked to cancel, {asked_at}, and may still prove it. Look twice before you approve.",
    ),
    # the session
    Code.PSYCHOLOGIST_REQUIRED: Answer(400, "psychologist", "Choose a psychologist who is active."),
    Code.SLOT_TAKEN: Answer(409, "slot_start", "The psychologist has another session at this time. {free_slots}"),
    Code.SLOT_PAST: Answer(400, "slot_start", "This time is in the past."),
    Code.SLOT_TOO_NEAR: Answer(
        409, "slot_start", "The visitor has to pay online, and this time is nearer than {payment_notice}."
    ),
    Code.SLOT_INVALID: Answer(
        400, "slot_start", "A session lasts at most {longest} and starts within the next {horizon}."
    ),
    Code.TOO_MANY_ALTERNATIVES: Answer(400, None, "Offer at most {alternatives_most} times."),
    Code.SERIES_TOO_LONG: Answer(400, "count", "A series has at most {series_most} sessions."),
    Code.OUTSIDE_HOURS: Answer(
        409,
        "despite_hours",
        "This time is outside the psychologist's hours, or within their time off. Look twice before you book it. "
        "{free_slots}",
    ),
    Code.MEETING_LINK_REQUIRED: Answer(
        400, "meeting_link", "The session is online and the psychologist has no meeting link: give one."
    ),
    Code.ADDRESS_REQUIRED: Answer(
        400, "location", "The session is in person and the psychologist has no location: choose one."
    ),
    Code.GUARDIAN_CONSENT_REQUIRED: Answer(
        400, "guardian_consent", "The visitor is a minor: ask for the guardian's consent and record it."
    ),
    Code.OUTCOME_CLOSED: Answer(
        409, None, "An outcome is recorded from the start of the session until {outcome_open_for} after its end."
    ),
    # money
    Code.AMOUNT_INVALID: Answer(400, "amount", "The amount must be between 0 and 100,000 rupees."),
    Code.ALREADY_PAID: Answer(409, None, "This booking is paid already. {last_step} Nothing was changed."),
    Code.SPONSOR_UNKNOWN: Answer(400, "corporate", "Choose a corporate that is active."),
    Code.SPONSOR_DOES_NOT_COVER: Answer(
        409, "pay_if_not_sponsored", "The sponsor does not cover this session: {why}. The visitor would have to pay."
    ),
    Code.MONTH_NOT_SPONSORED: Answer(409, "slot_start", "The sponsor does not cover a session at this time."),
    Code.REFUND_REASON_REQUIRED: Answer(400, "refund_reason", "Say why nothing is given back."),
    Code.REFUND_EXCEEDS_CAPTURE: Answer(400, "amount", "This is nothing, or more than what is left of the payment."),
    Code.REFUND_AT_GATEWAY: Answer(409, None, "This refund is on its way at the gateway. Nothing was changed."),
    # a caller's request
    Code.DATE_PAST: Answer(400, "preferred_date", "This day is in the past."),
    Code.AGE_REFUSED: Answer(400, "age", "Bookings are open from the age of {minimum_age}."),
    Code.WISH_PAST: Answer(400, "offered", TAKEN),  # it began, or its psychologist left, while the form stood open
    Code.WISH_UNKNOWN: Answer(400, "offered", TAKEN),
}
BUSY = "It is being changed at this moment. Nothing was changed; try again."
OVERTAKEN = "Something happened while this page was open. {last_step} Nothing was changed; look again and decide."


def sentence(refused: Refused, booking: Booking | None = None) -> str:
    """What staff read when the lifecycle refuses what they intended with `booking`."""
    facts: dict[str, Callable[[], str]] = {
        "free_slots": lambda: _free_slots(refused.context.get("free_slots")),
        "payment_notice": lambda: short_span(policy.ONLINE_PAYMENT_NOTICE),
        "longest": lambda: short_span(policy.SESSION_LONGEST),
        "horizon": lambda: short_span(policy.SLOT_HORIZON),
        "outcome_open_for": lambda: short_span(policy.OUTCOME_OPEN_FOR),
        "minimum_age": lambda: str(policy.MINIMUM_AGE),
        "alternatives_most": lambda: str(ALTERNATIVES_MOST),
        "series_most": lambda: str(SERIES_MOST),
        "why": lambda: str(refused.context.get("why", NOTHING)),
        "last_step": lambda: last_step(booking) if booking else "",
        "asked_at": lambda: short_day_and_time(booking.cancellation_requested_at) if booking else NOTHING,
    }
    text = ANSWERS[refused.code].sentence
    return text.format_map({name: fact() for name, fact in facts.items() if f"{{{name}}}" in text})


def last_step(booking: Booking) -> str:
    """Who did what last, and when."""
    entry = LedgerEntry.objects.filter(booking=booking).order_by("-sequence").first()
    if entry is None:
        return ""
    done = entry.intent.replace("_", " ")
    return f"It is now {entry.get_target_display()}: “{done}” by {entry.actor}, {short_day_and_time(entry.at)}."


def _free_slots(free: object) -> str:
    starts = (
        [short_day_and_time(slot.start) for slot in free if isinstance(slot, Slot)] if isinstance(free, list) else []
    )
    return f"Free near it: {'; '.join(starts)}." if starts else "No free time was found near it."
