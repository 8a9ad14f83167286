"""Every refusal's status and sentence: the one table that the API, the mailed pages, the desk and the commands read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from backend.bookings import actors, policy
from backend.bookings.intents import Intent
from backend.bookings.lifecycle.alternatives import ALTERNATIVES_MOST
from backend.bookings.lifecycle.follow_ups import SERIES_MOST
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.core import formatting
from backend.core.errors import Code, Refused
from backend.core.formatting import short_day_and_time
from backend.scheduling.claims import Slot

NOT_OFFERED = "This slot is not offered any more. Choose again."


@dataclass(frozen=True)
class Refusal:
    """How one code is answered, by every door with the same status.

    `sentence` is what visitors and clients of the API read; `for_staff` only where a person at the desk must read
    something else. `field` is of the API's request; `form_field` is of the desk's form where it is named otherwise.
    """

    code: Code
    status: int
    sentence: str
    for_staff: str = ""
    field: str = ""
    form_field: str = ""

    @property
    def desk_sentence(self) -> str:
        """What staff read, not filled in yet."""
        return self.for_staff or self.sentence

    @property
    def desk_field(self) -> str:
        """The field of the desk's form that it speaks of; empty: of the whole form."""
        return self.form_field or self.field


ALL = (
    # what was asked for does not exist, or the asker may not know that it does
    Refusal(
        Code.BOOKING_UNKNOWN, 404, "We know no booking under this id. Please check it and try again.",
        for_staff="This booking does not exist any more.",
    ),
    Refusal(Code.LINK_UNKNOWN, 404, "This link is not valid. Please open the newest link in your email."),
    Refusal(Code.PAYMENT_UNKNOWN, 404, "We know no payment under this reference."),
    Refusal(Code.REFUND_UNKNOWN, 404, "This booking has no refund under this reference."),
    Refusal(Code.TOO_MANY_MISSES, 429, "Too many unknown ids were tried. Please wait and try again later."),
    Refusal(Code.LOGIN_FAILED, 401, "Name and password do not belong to an account that may use this."),
    Refusal(
        Code.TOO_MANY_LOGINS, 429, "Too many log-ins failed. Please wait and try again later.",
        for_staff="Too many log-ins failed. No password is looked at from here before the next full hour; from another"
        " network it is.",
    ),
    Refusal(
        Code.TOO_MANY_REQUESTS, 429, "Too many requests came from your network. Please wait and try again in an hour."
    ),
    # a request that carries a key
    Refusal(Code.KEY_MALFORMED, 400, "Idempotency-Key must be 16 to 255 printable characters, such as a UUID."),
    Refusal(Code.KEY_REUSED, 422, "This Idempotency-Key came with another request before. Please make a new one."),
    Refusal(Code.KEY_IN_USE, 409, "The same request is being worked on. Please ask again in a moment."),
    Refusal(Code.CHANGED_SINCE, 412, "This has changed since you read it. Please read it again and decide."),
    Refusal(Code.ROW_IN_USE, 409, "Something else needs this, so it cannot be deleted."),
    Refusal(Code.SCOPE_MISSING, 403, "This token may not do this: it lacks the scope {scope}."),
    # the link is spent
    Refusal(Code.LINK_EXPIRED, 410, "This link has expired. Please ask for a new one on our site."),
    Refusal(Code.DRAFT_LAPSED, 410, "This request was not confirmed in time and has lapsed. Please book again."),
    Refusal(Code.DRAFT_SUPERSEDED, 410, "Another request from this address was confirmed instead of this one."),
    Refusal(Code.OPEN_IN_BROWSER, 409, "Please open the link from your email in a browser to confirm your address."),
    # the booking's state refuses it
    Refusal(
        Code.STATE_REFUSES, 409, "The booking has moved on and does not allow this any more.",
        for_staff="This booking was dealt with before you. {last_step} Nothing was changed.",
    ),
    Refusal(Code.ALREADY_ACTIVE, 409, "There is already an open booking under this address."),
    Refusal(
        Code.ALREADY_PAID, 409, "This booking is already paid. Nothing is left to pay.",
        for_staff="This booking is paid already. {last_step} Nothing was changed.",
    ),
    Refusal(Code.NOTHING_TO_PAY, 409, "This booking is confirmed. Nothing is to be paid online."),
    Refusal(Code.PAY_BY_PASSED, 409, "The time to pay for this booking has passed."),
    Refusal(
        Code.PAYMENT_NOT_CONFIRMED, 409,
        "Your bank has not confirmed yet. Do not pay again; we will write to you by {answer_by}.",
    ),
    Refusal(
        Code.PAY_BY_LINK, 409,
        "Nothing has been paid yet. Please open the payment link in our email; you can pay there.",
    ),
    Refusal(
        Code.MONEY_DAY_INVALID, 400, "Choose the day on which the money came: not a day to come, nor one long ago."
    ),
    Refusal(
        Code.AMOUNT_EXCEEDS_REST, 409, "This is nothing, or more than what is left to pay: {left}.", field="amount",
    ),
    Refusal(
        Code.PART_PAID, 409,
        "Only a part of the sum was paid. Record the rest, correct the part, or cancel the booking first.",
    ),
    Refusal(Code.PAYMENT_DECLINED, 409, "Your bank declined the payment. No money was taken; you can try again."),
    Refusal(
        Code.PAYMENT_RETURNED, 409,
        "Your payment arrived, but this booking could not be confirmed with it. The money goes back to you.",
    ),
    Refusal(Code.PAYMENTS_UNAVAILABLE, 503, "Online payment is not available at the moment. Please try again later."),
    Refusal(
        Code.CANCELLATION_PENDING, 409,
        "The visitor asked to cancel and has not proved it yet. "
        "To approve all the same, send despite_cancellation_request.",
        for_staff="The visitor asked to cancel, {asked_at}, and may still prove it. Look twice before you approve.",
        form_field="despite_cancellation_request",
    ),
    Refusal(
        Code.NO_ADDRESS, 409, "There is no email address with this booking. Please call the practice about it.",
        for_staff="There is no email address with this booking. Tell and ask its client by telephone.",
    ),
    Refusal(
        Code.CHANNEL_UNAVAILABLE, 409, "We cannot send reminders this way. Please choose another.", field="reminders_by"
    ),
    Refusal(
        Code.PHONE_REQUIRED, 409, "We have no telephone number of you. Please add it first.",
        for_staff="There is no telephone number with this booking.",
    ),
    # the site shows it under "Verification Failed"
    Refusal(
        Code.CONFIRM_BY_EMAIL, 409,
        "Nothing has failed. One step is left: we have sent you an email; open its link within {cancel_link_lifetime}. "
        "Until then your booking is not cancelled.",
    ),
    Refusal(
        Code.CANCEL_TOO_LATE, 409,
        "A session can be cancelled on the site until {cancel_notice} before it starts. "
        "After that, please use the link in your confirmation email; if it is lost, have your link sent again.",
    ),
    Refusal(Code.MOVE_TOO_LATE, 409, "A session can be moved until {cancel_notice} before it starts."),
    Refusal(Code.MOVES_USED_UP, 409, "This session was moved as often as possible. Please write to us instead."),
    Refusal(
        Code.CHOICE_OPEN, 409,
        "We cannot hold this session at its time. Another time is to be chosen first, by {choose_by}, "
        "with the link in our email.",
        for_staff="The visitor has been asked already, and may choose another time until {choose_by}.",
    ),
    Refusal(
        Code.CHOICE_TOO_NEAR, 409,
        "This session starts too soon to let the visitor choose: move or cancel it, and call them.",
    ),
    # the site shows it under "Cancellation Failed"
    Refusal(
        Code.NOT_CANCELLED_YET, 409,
        "Nothing has failed. One step is left: open the link in our email and press the button there. "
        "Until then your booking is not cancelled.",
    ),
    Refusal(Code.NOT_PAID_AT_DESK, 409, "No payment that was recorded at the desk stands for this booking."),
    Refusal(
        Code.PAYMENT_GIVEN_BACK, 409,
        "Money of this payment was given back or promised to the visitor, so what was recorded stands.",
    ),
    Refusal(
        Code.MONEY_RETURNING, 409,
        "The visitor paid online as well, and that money is still on its way back. Correct this once it is back.",
    ),
    Refusal(
        Code.REFUND_EXCEEDS_CAPTURE, 409, "This is more than what was paid and has not been given back.",
        for_staff="This is nothing, or more than what is left of the payment.", field="amount",
    ),
    Refusal(Code.REFUND_AT_GATEWAY, 409, "This refund is on its way at the gateway."),
    Refusal(Code.REFUND_REASON_REQUIRED, 400, "To keep the money, say why.", field="refund_reason"),
    Refusal(
        Code.UNDO_CLOSED, 409,
        "The last decision can no longer be undone: its time is over, it is being told, or something happened since.",
    ),
    Refusal(
        Code.OUTCOME_CLOSED, 409,
        "An outcome can be recorded from the session's start until {outcome_open_for} after its end; "
        "that the visitor came, from {arrival_opens} before.",
    ),
    Refusal(
        Code.SPONSOR_UNKNOWN, 400, "Choose a corporate that is active.", field="corporate_id", form_field="corporate"
    ),
    Refusal(
        Code.SPONSOR_DOES_NOT_COVER, 409,
        "The sponsor does not cover this session: {why}. "
        "To approve all the same and ask the visitor to pay, send pay_if_not_sponsored.",
        for_staff="The sponsor does not cover this session: {why}. The visitor would have to pay.",
        form_field="pay_if_not_sponsored",
    ),
    Refusal(
        Code.MONTH_NOT_SPONSORED, 409,
        "The sponsor of this session does not cover one at that time. Please choose another time.",
        form_field="slot_start",
    ),
    Refusal(Code.TOO_MANY_ENQUIRIES, 429, "Too many messages have arrived. Please try again in an hour."),
    Refusal(
        Code.LAST_OWNER, 409,
        "This is the last owner who can log in. Make a colleague an owner first, who has set up the account.",
    ),
    # staff's choice does not hold
    Refusal(Code.TIME_BOOKED, 409, "Sessions are booked in this time. Decide about them first."),
    Refusal(
        Code.SLOT_TAKEN, 409, "This time is already taken.",
        for_staff="The psychologist has another session at this time. {free_slots}", form_field="slot_start",
    ),
    Refusal(Code.SLOT_PAST, 400, "This time is in the past.", field="slot_start"),
    Refusal(
        Code.SLOT_TOO_NEAR, 409, "This time is too near to be paid online.",
        for_staff="The visitor has to pay online, and this time is nearer than {payment_notice}.",
        form_field="slot_start",
    ),
    Refusal(
        Code.SLOT_INVALID, 400, "A session must have a sensible length and be within a year.",
        for_staff="A session lasts at most {longest} and starts within the next {horizon}.", field="slot_start",
    ),
    Refusal(
        Code.OUTSIDE_HOURS, 409,
        "This time is outside the psychologist's hours. To book it all the same, send despite_hours.",
        for_staff="This time is outside the psychologist's hours for sessions {mode}, or within their time off. "
        "Look twice before you book it. {free_slots}",
        form_field="despite_hours",
    ),
    Refusal(Code.NO_FREE_SLOT, 409, "No free slot fits what the visitor asked for."),
    Refusal(Code.TOO_MANY_ALTERNATIVES, 400, "Please offer at most {alternatives_most} times."),
    Refusal(
        Code.SERIES_TOO_LONG, 400, "A series has between 1 and {series_most} sessions.", form_field="count"
    ),
    Refusal(
        Code.PSYCHOLOGIST_REQUIRED, 400, "Choose a psychologist who is active.",
        field="psychologist_id", form_field="psychologist",
    ),
    Refusal(
        Code.MEETING_LINK_REQUIRED, 400, "An online session needs a meeting link.",
        for_staff="The session is online and the psychologist has no meeting link: give one.", field="meeting_link",
    ),
    Refusal(
        Code.ADDRESS_REQUIRED, 400, "A session in person needs a location.",
        for_staff="The session is in person and the psychologist has no location: choose one.",
        field="location_id", form_field="location",
    ),
    Refusal(
        Code.GUARDIAN_CONSENT_REQUIRED, 409,
        "The client is a minor: record the guardian's consent first: who gave it, and how you know that.",
        form_field="guardian_consent",
    ),
    Refusal(Code.AMOUNT_INVALID, 400, "The amount must be between ₹0 and ₹1,00,000.", field="amount"),
    # the request's own fields
    Refusal(Code.DATE_PAST, 400, "Please choose today or a later date.", field="preferred_date"),
    Refusal(
        Code.CONTACT_REQUIRED, 400, "Please enter a telephone number or an email address, to reach them by.",
        field="phone_number",
    ),
    Refusal(Code.AGE_REFUSED, 400, "Bookings are open from the age of {minimum_age}.", field="age"),
    Refusal(
        Code.WISH_UNKNOWN, 400, "Please choose a psychologist of ours, or none.",
        for_staff=NOT_OFFERED,
        field="psychologist", form_field="offered",
    ),
    Refusal(
        Code.WISH_PAST, 400, "Please choose a time that is ahead, and within a year.",
        for_staff=NOT_OFFERED,
        field="preferred_slot_start", form_field="offered",
    ),
    # an incoming webhook
    Refusal(Code.SIGNATURE_INVALID, 400, "The signature does not match."),
)  # fmt: skip
ANSWERS = {answer.code: answer for answer in ALL}
# what visitors read of state_refuses where the state is known
_REFUSED_IN = {
    State.DRAFT: gettext_noop("This request waits for its email address to be confirmed and does not allow this yet."),
    State.PENDING: gettext_noop("This request waits for the practice's answer and does not allow this yet."),
    State.APPROVED: gettext_noop("This booking waits for its payment and does not allow this."),
    State.PAYMENT_PENDING: gettext_noop("A payment for this booking is under way, so this is not possible."),
    State.CONFIRMED: gettext_noop("This booking is already confirmed and does not allow this any more."),
    State.COMPLETED: gettext_noop("This session has already taken place."),
    State.REJECTED: gettext_noop("The practice could not offer this session; the request is closed."),
    State.CANCELLED: gettext_noop("This booking is already cancelled."),
    State.PAYMENT_FAILED: gettext_noop("This booking is closed, because the payment did not arrive in time."),
}
OVERTAKEN = ANSWERS[Code.STATE_REFUSES].status  # of a decision about a booking that changed meanwhile


def sentence(code: Code, context: Mapping[str, object]) -> str:
    """What a visitor or a client of the API reads when `code` refuses."""
    if code is Code.STATE_REFUSES and context.get("state") in _REFUSED_IN:
        return gettext(_REFUSED_IN[State(str(context["state"]))])
    return gettext(ANSWERS[code].sentence).format_map(_shown(context))


def staff_sentence(refused: Refused, booking: Booking | None = None) -> str:
    """What staff read when what they intended with `booking` is refused."""
    text = ANSWERS[refused.code].desk_sentence
    shown = _shown(refused.context) | {"free_slots": _free_slots(refused.context.get("free_slots"))}
    if booking is not None:
        shown["asked_at"] = short_day_and_time(booking.cancellation_requested_at)
        shown["last_step"] = last_step(booking) if "{last_step}" in text else ""
    return text.format_map(shown)


BUSY = "It is being changed at this moment. Nothing was changed; try again."  # another transaction held its row


def overtaken(booking: Booking) -> str:
    """What staff read when the booking changed while they decided."""
    step = last_step(booking)
    return f"Something happened while this page was open. {step} Nothing was changed; look again and decide."


def last_step(booking: Booking) -> str:
    """Who did what last, and when."""
    entry = LedgerEntry.objects.filter(booking=booking).order_by("-sequence").first()
    if entry is None:
        return ""
    who = actors.describe(entry.actor)
    done = Intent(entry.intent).label
    return f"It is now {entry.get_target_display()}: {done} ({who}, {short_day_and_time(entry.at)})."


def _shown(context: Mapping[str, object]) -> dict[str, object]:
    """What a sentence may name: the policy's spans and counts, and what the refusal itself says."""
    shown: dict[str, object] = {
        "minimum_age": policy.MINIMUM_AGE,
        "series_most": SERIES_MOST,
        "alternatives_most": ALTERNATIVES_MOST,
        "why": "it has nothing left",
        "answer_by": gettext("the end of the day"),
        "asked_at": "a moment ago",
        "choose_by": gettext("its time"),
        "left": gettext("see the booking"),
        "scope": "it needs",
        "mode": "of this kind",
        "last_step": "",
        "cancel_notice": formatting.span(policy.CANCEL_NOTICE),
        "cancel_link_lifetime": formatting.span(policy.CANCEL_LINK_LIFETIME),
        "arrival_opens": formatting.span(policy.ARRIVAL_OPENS),
        "outcome_open_for": formatting.span(policy.OUTCOME_OPEN_FOR),
        "payment_notice": formatting.span(policy.ONLINE_PAYMENT_NOTICE),
        "longest": formatting.span(policy.SESSION_LONGEST),
        "horizon": formatting.span(policy.SLOT_HORIZON),
    }
    for name, value in context.items():
        if value is not None:
            shown[name] = _moment(value) if isinstance(value, datetime) else value
    return shown


def _moment(at: datetime) -> str:
    return formatting.time_or_day(at, now=timezone.now())


def _free_slots(free: object) -> str:
    starts = (
        [short_day_and_time(slot.start) for slot in free if isinstance(slot, Slot)] if isinstance(free, list) else []
    )
    return f"Free near it: {'; '.join(starts)}." if starts else "No free time was found near it."
