"""Cancelling: asked for by the visitor, or decided by staff; `payment_status` says what is refunded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.bookings import links, policy, queries, sponsors
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Cancelled
from backend.bookings.lifecycle.attempts import close_open_attempt
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.notify import (
    asked_to_cancel_too_often,
    notify_psychologist,
    notify_staff,
    notify_visitor,
)
from backend.bookings.lifecycle.refunds import RefundReason, give_back, notify_refunds
from backend.bookings.lifecycle.sweeping import timed
from backend.bookings.lifecycle.transaction import TIMER, VISITOR, intent, lock_booking, record_event, run_transition
from backend.bookings.machine import ACTIVE, HOLDS_SLOT, Reason, State
from backend.bookings.models import Booking, Link, Purpose
from backend.bookings.notices import Notice
from backend.bookings.payment_status import left_paise
from backend.bookings.refund_policy import cancellation_refund_paise, is_refund_lost_by_time, is_timely_cancellation
from backend.core.errors import Code, Refused
from backend.payments.models import Refund


@intent
def request_cancellation(acknowledgement_id: str, *, now: datetime) -> Booking:
    """No transition: mails the link that proves the wish. Over the limit nothing is done, and nothing tells the asker.

    Refuses: booking_unknown, no_address, state_refuses, cancel_too_late.
    """
    found = Booking.objects.filter(acknowledgement_id=acknowledgement_id, verified_at__isnull=False, purged_at=None)
    booking_id = found.values_list("pk", flat=True).first()
    if booking_id is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    booking = lock_booking(booking_id)
    refuse_unless_cancellable(booking, now=now)
    if asked_to_cancel_too_often(booking, now=now):
        return booking
    booking.cancellation_requested_at = now
    record_event(
        booking,
        intent=Intent.REQUEST_CANCELLATION,
        actor=VISITOR,
        now=now,
        saving=["cancellation_requested_at"],
    )
    notify_visitor(booking, Notice.CANCELLATION_REQUESTED, now=now)
    notify_staff(booking, Notice.STAFF_CANCELLATION_REQUESTED, now=now)
    return booking


@intent
def confirm_cancellation(token: str, *, now: datetime) -> Booking:
    """PENDING, APPROVED, PAYMENT_PENDING, CONFIRMED → CANCELLED `by_visitor` or `cancelled_late`. Spends the link.

    A link that was used shows the booking as it is. Refuses: link_unknown, link_expired, state_refuses.
    """
    link = find_cancel_link(token)
    booking = lock_booking(link.booking_id)
    if booking.state not in ACTIVE:
        return cancelled_by(token, now=now)
    promise = cancellation_terms(booking, link, now=now)
    if not links.spend(link, now=now):
        raise Refused(Code.LINK_EXPIRED)
    refunds = give_back(booking, promise.refund_paise, reason=RefundReason.BY_VISITOR, actor=VISITOR, now=now)
    call_off(booking, promise.reason, refunds, actor=VISITOR, now=now)
    return booking


def cancelled_by(token: str, *, now: datetime) -> Booking:
    """The booking that this link cancelled. Changes nothing.

    Refuses: link_unknown, not_cancelled_yet, link_expired, state_refuses (it closed in another way).
    """
    link = find_cancel_link(token)
    booking = link.booking
    if booking.state == State.CANCELLED and link.spent_at is not None:
        return booking
    if booking.state not in ACTIVE:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    raise Refused(Code.LINK_EXPIRED if _has_ended(link, booking, now=now) else Code.NOT_CANCELLED_YET)


def find_cancel_link(token: str) -> Link:
    """A link that cancels. Refuses: link_unknown."""
    return links.find(token, Purpose.CANCEL, Purpose.CANCEL_LATE)


def refuse_unless_mail_cancels(booking: Booking, *, now: datetime) -> None:
    """Whether the link works that the session's mails carry. Refuses: no_address, state_refuses, link_expired."""
    require_address(booking)
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if links.has_expired(booking, Purpose.CANCEL_LATE, now=now):
        raise Refused(Code.LINK_EXPIRED)


@dataclass(frozen=True)
class CancellationTerms:
    """What cancelling will do: why it closes, and what comes back in paise."""

    reason: Reason
    refund_paise: int
    paid_paise: int
    is_lost_by_time: bool  # earlier, something would have come back


def cancellation_terms(booking: Booking, link: Link, *, now: datetime) -> CancellationTerms:
    """Judged when asked: a link that was asked for in time is in time. Refuses: link_expired, state_refuses."""
    if booking.state not in ACTIVE:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if link.spent_at is not None or _has_ended(link, booking, now=now):
        raise Refused(Code.LINK_EXPIRED)
    return _visitors_terms(booking, asked_at=link.created_at if link.purpose == Purpose.CANCEL else now)


def _visitors_terms(booking: Booking, *, asked_at: datetime) -> CancellationTerms:
    is_late = booking.state == State.CONFIRMED and not is_timely_cancellation(booking, asked_at=asked_at)
    return CancellationTerms(
        reason=Reason.CANCELLED_LATE if is_late else Reason.BY_VISITOR,
        refund_paise=cancellation_refund_paise(booking, asked_at=asked_at),
        paid_paise=left_paise(booking),
        is_lost_by_time=is_refund_lost_by_time(booking, asked_at=asked_at),
    )


def _has_ended(link: Link, booking: Booking, *, now: datetime) -> bool:
    """Past its time, or past the start of the session: that may have drawn near since the link was asked for."""
    if link.expires_at is None or link.expires_at <= now:
        return True
    return booking.state == State.CONFIRMED and booking.slot_start is not None and booking.slot_start <= now


class CalledOffBy(StrEnum):
    """Whose wish it is when staff cancel: the rules, the reason and the mail's words follow from it."""

    PRACTICE = "practice"
    VISITOR = "visitor"  # who rang, or came by


class RefundChoice(StrEnum):
    """What staff give back when they cancel; less than the rules give needs a reason."""

    RULES = "rules"  # all of it if the practice calls off, else what the visitor's own terms give
    FULL = "full"
    PART = "part"
    NONE = "none"


@intent
def cancel_by_staff(
    booking_id: int,
    *,
    note_to_visitor: str,
    refund: RefundChoice,
    refund_reason: str,
    actor: str,
    now: datetime,
    is_undoable: bool = False,
    called_off_by: CalledOffBy = CalledOffBy.PRACTICE,
    amount_paise: int | None = None,
) -> Booking:
    """PENDING, APPROVED, PAYMENT_PENDING, CONFIRMED → CANCELLED `by_staff`, or as the visitor's link would have it.

    `amount_paise` is for a part. It can be undone for a while if it `is_undoable`; the money waits, too.
    Refuses: booking_unknown, state_refuses, refund_reason_required, refund_exceeds_capture.
    """
    booking = lock_booking(booking_id)
    if booking.state not in ACTIVE:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    by_rules = terms_when_called_off(booking, called_off_by, now=now)
    back = _sum_back(booking, refund, amount_paise, by_rules.refund_paise)
    keeps_all = refund is RefundChoice.NONE and called_off_by is CalledOffBy.PRACTICE
    if (keeps_all or back < by_rules.refund_paise) and not refund_reason.strip():
        raise Refused(Code.REFUND_REASON_REQUIRED)
    booking.note_to_visitor, booking.refund_note = note_to_visitor.strip(), refund_reason.strip()
    why = RefundReason.BY_VISITOR if called_off_by is CalledOffBy.VISITOR else RefundReason.BY_STAFF
    until = policy.undo_until(now, booking.slot_start) if is_undoable else None
    given = give_back(booking, back, reason=why, actor=actor, now=now, not_before=until)
    call_off(booking, by_rules.reason, given, actor=actor, now=now, undo_until=until)
    return booking


def terms_when_called_off(booking: Booking, called_off_by: CalledOffBy, *, now: datetime) -> CancellationTerms:
    """What the rules say of a booking that staff cancel. A visitor who asked on the site before asked then."""
    if called_off_by is CalledOffBy.VISITOR:
        return _visitors_terms(booking, asked_at=booking.cancellation_requested_at or now)
    left = left_paise(booking)
    return CancellationTerms(Reason.BY_STAFF, refund_paise=left, paid_paise=left, is_lost_by_time=False)


def _sum_back(booking: Booking, refund: RefundChoice, amount_paise: int | None, by_rules: int) -> int:
    """Refuses: refund_exceeds_capture, for a part that is none."""
    left = left_paise(booking)
    if refund is RefundChoice.PART and not (amount_paise and 0 < amount_paise <= left):
        raise Refused(Code.REFUND_EXCEEDS_CAPTURE)
    sums = {RefundChoice.RULES: by_rules, RefundChoice.FULL: left, RefundChoice.PART: amount_paise or 0}
    return sums.get(refund, 0)


@timed(due=lambda now: queries.cancellations_to_lapse(now=now))
def lapse_cancellation(booking: Booking, *, now: datetime) -> bool:
    """No transition: the wish was not proved within its hour, so the booking stands."""
    asked_at = booking.cancellation_requested_at
    if asked_at is None or asked_at + policy.CANCEL_LINK_LIFETIME > now or booking.state not in ACTIVE:
        return False
    booking.cancellation_requested_at = None
    record_event(booking, intent=Intent.LAPSE_CANCELLATION, actor=TIMER, now=now, saving=["cancellation_requested_at"])
    notify_visitor(booking, Notice.CANCELLATION_LAPSED, now=now)
    return True


def refuse_unless_cancellable(booking: Booking, *, now: datetime) -> None:
    """Whether a visitor may ask on the site. Refuses: no_address, state_refuses, cancel_too_late."""
    require_address(booking)
    if booking.state not in ACTIVE:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.state == State.CONFIRMED and not is_timely_cancellation(booking, asked_at=now):
        raise Refused(Code.CANCEL_TOO_LATE)


def call_off(
    booking: Booking,
    reason: Reason,
    refunds: list[Refund],
    *,
    intent: Intent = Intent.CANCEL,
    actor: str,
    now: datetime,
    undo_until: datetime | None = None,
) -> None:
    """Active → CANCELLED, with what it gives back: the ledger row names the refunds, and the visitor hears of it."""
    was_confirmed = booking.state == State.CONFIRMED
    ids = [refund.pk for refund in refunds]
    month = None if reason == Reason.CANCELLED_LATE else sponsors.return_session(booking, now=now)
    run_transition(
        booking,
        lambda: booking.cancel(reason=reason, now=now),
        intent=intent,
        actor=actor,
        now=now,
        saving=["note_to_visitor", "refund_note", "sponsorship_returned_at"],
        details=Cancelled(returned_to_sponsor=month, refund=ids[0] if ids else None, more_refunds=tuple(ids[1:])),
        undo_until=undo_until,
    )
    close_open_attempt(booking, now=now)
    links.revoke(booking, Purpose.CANCEL, Purpose.CANCEL_LATE, Purpose.RESCHEDULE, Purpose.ROOM, now=now)
    notify_visitor(booking, Notice.BOOKING_CANCELLED, now=now)
    if was_confirmed:
        notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now)
    notify_refunds(booking, refunds, now=now)
