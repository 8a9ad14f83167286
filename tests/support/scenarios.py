"""Short ways to bring a booking to where a test begins, through the real intents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

from backend.bookings import links
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import attempts, cancellation, payments, timers, visitor
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.lifecycle.session_terms import GuardianConsent
from backend.bookings.machine import State
from backend.bookings.models import Booking, GuardianProof, Purpose
from backend.bookings.notices import Notice
from backend.outbox import bundles
from backend.outbox.models import Message
from backend.payments.gateway import OrderReport, OrderState
from backend.payments.models import Payment
from backend.people.models import Psychologist

ASHA = "asha@example.org"
RAVI = "ravi@example.org"
GUARDIAN = GuardianConsent("Meera Rao, mother", GuardianProof.DOCUMENT)
GUARDIAN_TYPED = {"guardian_consent": "on", "guardian_name": GUARDIAN.name, "guardian_proof": GUARDIAN.proof.value}
GUARDIAN_SENT = {**GUARDIAN_TYPED, "guardian_consent": True}


def draft_of(email: str = ASHA, *, now: datetime, **changes: object) -> Draft:
    """A form as the site sends it, cleaned."""
    draft = Draft(
        email=email,
        full_name="Asha Rao",
        phone_number="+919876543210",
        city="Pune",
        region="Maharashtra",
        country="India",
        age=31,
        gender="FEMALE",
        emergency_contact="Vikram Rao 9876500000",
        preferred_date=now.date() + timedelta(days=3),
        preferred_period="MORNING",
        preferred_time_start=None,
        preferred_time_end=None,
        mode="ONLINE",
        payment_mode="ONLINE",
        user_message="I would like to talk to someone.",
    )
    return replace(draft, **changes)  # type: ignore[arg-type]


def submitted(email: str = ASHA, *, now: datetime, **changes: object) -> Booking:
    """A DRAFT."""
    visitor.submit_draft(draft_of(email, now=now, **changes), now=now)
    return Booking.objects.filter(client__email=email).latest("pk")


def token_of(booking: Booking, notice: Notice = Notice.DRAFT_SUBMITTED, purpose: Purpose = Purpose.BOOKING) -> str:
    """The token in the newest mail of this kind."""
    return links.token_of(Message.objects.filter(booking_id=booking.pk, kind=notice).latest("pk").uuid, purpose)


def pending(email: str = ASHA, *, now: datetime, **changes: object) -> Booking:
    """A PENDING booking, its address proved."""
    return visitor.verify_email(token_of(submitted(email, now=now, **changes)), now=now)


def psychologist(name: str = "Dr. Meera Iyer", **fields: object) -> Psychologist:
    """An active psychologist with a meeting link."""
    given = {"meeting_link": "https://meet.example.org/meera", "email": "meera@example.org", **fields}
    return Psychologist.objects.create(full_name=name, **given)


def slot_tomorrow(now: datetime, hour: int = 12) -> datetime:
    """Tomorrow at `hour` UTC."""
    return datetime.combine(now.date() + timedelta(days=1), time(hour), tzinfo=now.tzinfo)


def approved(
    email: str = ASHA, *, now: datetime, who: Psychologist | None = None, at: datetime | None = None, **changes: object
) -> Booking:
    """An APPROVED booking for a slot tomorrow."""
    booking = pending(email, now=now, **changes)
    approval = staff.Approval((who or psychologist()).pk, at or slot_tomorrow(now))
    return staff.approve(booking.pk, approval, actor="staff:desk", now=now)


def paying(email: str = ASHA, *, now: datetime, **options: object) -> tuple[Booking, Payment]:
    """A PAYMENT_PENDING booking and its open attempt."""
    booking = approved(email, now=now, **options)  # type: ignore[arg-type]
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    return again(booking), payment


def captured(payment: Payment, **changes: object) -> OrderReport:
    """What the gateway says of a paid order."""
    return replace(
        OrderReport(
            reference=payment.reference,
            gateway_order_id=f"order_{payment.pk}",
            state=OrderState.CAPTURED,
            amount_paise=payment.amount_paise,
            currency=payment.currency,
            capture_id=f"cap_{payment.pk}",
        ),
        **changes,  # type: ignore[arg-type]
    )


def declined(payment: Payment) -> OrderReport:
    """What the gateway says of a declined order."""
    return captured(payment, state=OrderState.DECLINED, capture_id="")


def confirmed(email: str = ASHA, *, now: datetime, **options: object) -> Booking:
    """A CONFIRMED booking, paid."""
    booking, payment = paying(email, now=now, **options)
    payments.record_report(captured(payment), actor="gateway:sandbox", now=now)
    return again(booking)


def timed_out(*, now: datetime, **typed: object) -> Booking:
    """A PAYMENT_FAILED booking, whose time to pay ran out."""
    booking, payment = paying(now=now, **typed)
    assert booking.pay_by is not None
    late = booking.pay_by + timedelta(minutes=11)
    attempts.end_idle_attempt(payment.pk, now=late)
    return again(booking)


def completed(*, now: datetime, **typed: object) -> Booking:
    """A COMPLETED booking."""
    booking = confirmed(now=now, **typed)
    timers.complete_session(booking.pk, now=booking.due_at)
    return again(booking)


def rejected(*, now: datetime, **typed: object) -> Booking:
    """A REJECTED booking."""
    return staff.reject(pending(now=now, **typed).pk, note_to_visitor="", actor="staff:desk", now=now)


def cancelled(*, now: datetime, **typed: object) -> Booking:
    """A CANCELLED booking, called off by staff before it was approved."""
    return call_off(pending(now=now, **typed), now)


def call_off(booking: Booking, now: datetime) -> Booking:
    """Cancelled by staff, with its money back."""
    return cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", actor="staff:desk", now=now
    )


IN_STATE: dict[State, Callable[..., Booking]] = {
    State.DRAFT: submitted,
    State.PENDING: pending,
    State.APPROVED: approved,
    State.PAYMENT_PENDING: lambda *, now, **typed: paying(now=now, **typed)[0],
    State.CONFIRMED: confirmed,
    State.COMPLETED: completed,
    State.REJECTED: rejected,
    State.CANCELLED: cancelled,
    State.PAYMENT_FAILED: timed_out,
}


def again(booking: Booking) -> Booking:
    """The booking as the database has it."""
    return Booking.objects.get(pk=booking.pk)


def notices_about(booking: Booking) -> list[str]:
    """The notices owed about this booking, alone or among others, in order."""
    owed = Message.objects.filter(bundles.about(booking.pk), queue="mail")
    return list(owed.order_by("pk").values_list("kind", flat=True))
