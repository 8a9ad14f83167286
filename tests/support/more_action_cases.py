"""More cases of staff's actions: the states, sponsors, sums and modes that change what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from backend.bookings.lifecycle import attempts, cancellation, payments, refunds, timers
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.models import Booking, PaymentMode
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Refund
from backend.people.models import Location
from tests.support import scenarios, working_hours
from tests.support.action_cases import (
    CASES,
    Case,
    a_note,
    a_refund,
    a_request,
    acme,
    approved,
    called_off,
    nothing,
    paid,
    paying,
    somebody,
)
from tests.support.admin_site import form_of, session_form
from tests.support.sponsors import acme as a_sponsor
from tests.support.sponsors import sponsored, with_code

DAY = timedelta(days=1)
AFTER = timedelta(days=1.5)  # the session of a story is over, its outcome open
STAFF = {"actor": "staff:desk"}


def in_person(now: datetime) -> Booking:
    """CONFIRMED, its money due at the practice."""
    who = scenarios.psychologist(location=rooms())
    return scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")


def rooms() -> Location:
    return Location.objects.create(name="Rooms", address="1 Road, Pune")


def over(begin: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    """The same, COMPLETED."""

    def completed(now: datetime) -> Booking:
        booking = begin(now)
        timers.complete_session(booking.pk, now=now + 3 * DAY)
        return scenarios.again(booking)

    return completed


def kept(now: datetime) -> Booking:
    """CANCELLED, with the visitor's money still here."""
    booking = paid(now)
    given = {"note_to_visitor": "", "refund": RefundChoice.NONE, "refund_reason": "late"}
    return cancellation.cancel_by_staff(booking.pk, **given, **STAFF, now=now)


def refused_by_the_gateway(booking: Booking, now: datetime) -> Booking:
    refund = Refund.objects.get()
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    return scenarios.again(booking)


def granted(begin: Callable[[datetime], Booking]) -> Callable[[datetime], Booking]:
    """A part was given back, and the gateway refused it."""

    def owed(now: datetime) -> Booking:
        booking = begin(now)
        refunds.grant_refund(booking.pk, 50_000, **STAFF, now=now)
        return refused_by_the_gateway(booking, now)

    return owed


def paid_wrong(now: datetime) -> Booking:
    """APPROVED again: another sum came, and the gateway refused to give it back."""
    booking, payment = scenarios.paying(now=now)
    payments.record_report(scenarios.captured(payment, amount_paise=1), actor="gateway:sandbox", now=now)
    return refused_by_the_gateway(booking, now)


def paying_again(now: datetime) -> Booking:
    booking = paid_wrong(now)
    attempts.start_payment(booking.acknowledgement_id, now=now)
    return scenarios.again(booking)


def paid_wrong_too_late(now: datetime) -> Booking:
    """PAYMENT_FAILED."""
    booking, payment = scenarios.paying(now=now)
    late = now + 2 * DAY
    attempts.end_idle_attempt(payment.pk, now=late)
    payments.record_report(scenarios.captured(payment, amount_paise=1), actor="gateway:sandbox", now=late)
    return refused_by_the_gateway(booking, late)


def named_by_a_code(now: datetime) -> Booking:
    a_sponsor()
    return with_code(now=now)


def nothing_left(now: datetime) -> Booking:
    a_sponsor(sessions_a_month=0)
    return with_code(now=now)


def a_sponsored_session(now: datetime) -> Booking:
    a_sponsor()
    return sponsored(now=now, at=scenarios.slot_tomorrow(now))


def a_minor(now: datetime) -> Booking:
    return scenarios.pending(now=now, age=16)


def a_request_in_person(now: datetime) -> Booking:
    return scenarios.pending(now=now, mode="OFFLINE", payment_mode=PaymentMode.OFFLINE)


def typed(**more: str) -> Callable[[Booking], dict[str, str]]:
    return lambda booking: form_of(booking, **more)


def session(**more: str) -> Callable[[Booking], dict[str, str]]:
    return lambda booking: {**somebody(booking), **more}


def whole(booking: Booking) -> dict[str, str]:
    return {**a_note(booking), "refund": "full"}


def another(booking: Booking) -> dict[str, str]:
    return session_form(booking, scenarios.psychologist("Dr. Other", email="other@example.org"))


def in_the_rooms(booking: Booking) -> dict[str, str]:
    return {**somebody(booking), "location": str(rooms().pk)}


def alternatives(booking: Booking) -> dict[str, str]:
    who = working_hours.psychologist()
    start = booking.created_at + DAY
    return {**a_note(booking), "alternative_1": f"{who.pk}@{start.isoformat()}@3600"}


MORE = [
    Case("approve", a_request, session(amount="0"), "approve"),
    Case("approve", named_by_a_code, somebody, "approve"),
    Case("approve", nothing_left, session(pay_if_not_sponsored="on"), "approve"),
    Case("approve", a_minor, session(**scenarios.GUARDIAN_TYPED), "approve"),
    Case("approve", a_request_in_person, in_the_rooms, "approve"),
    Case("reject", a_request, alternatives, "reject"),
    Case("cancel", approved, called_off, "cancel"),
    Case("cancel", paid, typed(called_off_by="practice", refund="none", refund_reason="late"), "cancel"),
    Case("cancel", a_sponsored_session, called_off, "cancel"),
    Case("reschedule", paying, somebody, "reschedule"),
    Case("offer-choice", approved, nothing, "offer_choice"),
    Case("offer-choice", paying, nothing, "offer_choice"),
    Case("reschedule", paid, another, "reschedule"),
    Case("record-payment", in_person, nothing, "record_desk_payment"),
    Case("record-payment", over(in_person), nothing, "record_desk_payment", AFTER),
    Case("sponsor", paying, acme, "sponsor"),
    Case("sponsor", named_by_a_code, typed(corporate=""), "sponsor"),
    Case("refund", over(paid), nothing, "grant_refund", AFTER),
    Case("refund", kept, nothing, "grant_refund"),
    Case("refund-made", granted(paid), a_refund, "refund_made"),
    Case("refund-made", over(granted(paid)), a_refund, "refund_made", AFTER),
    Case("refund-made", granted(kept), a_refund, "refund_made"),
    Case("refund-made", paid_wrong, a_refund, "refund_made"),
    Case("refund-made", paying_again, a_refund, "refund_made"),
    Case("refund-made", paid_wrong_too_late, a_refund, "refund_made", 2 * DAY),
    Case("record-outcome", over(paid), typed(outcome="no_show"), "record_outcome", AFTER),
    Case("record-outcome", a_sponsored_session, typed(outcome="practice_absent"), "record_outcome", AFTER),
]

TABLE = [*CASES, *MORE]
