"""Rows as they stand at an instant, in any state, without the road that led there; for tests of what reads them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Details
from backend.bookings.machine import FINAL, HOLDS_SLOT, Reason, State
from backend.bookings.models import (
    Booking,
    DataRequest,
    LedgerEntry,
    Mode,
    PaymentMode,
    RequestKind,
    RequestState,
    SlotClaim,
)
from backend.payments.models import Payment, PaymentState, Refund
from backend.people.models import Client, Enquiry, Psychologist

ASHA = "asha@example.org"

_PROVED = [(Intent.SUBMIT_DRAFT, State.DRAFT), (Intent.VERIFY_EMAIL, State.PENDING)]
_APPROVED = [*_PROVED, (Intent.APPROVE, State.APPROVED)]
_PAYING = [*_APPROVED, (Intent.START_PAYMENT, State.PAYMENT_PENDING)]
_PAID = [*_PAYING, (Intent.RECORD_CAPTURE, State.CONFIRMED)]
PATHS = {
    State.DRAFT: _PROVED[:1],
    State.PENDING: _PROVED,
    State.APPROVED: _APPROVED,
    State.PAYMENT_PENDING: _PAYING,
    State.CONFIRMED: _PAID,
    State.COMPLETED: [*_PAID, (Intent.COMPLETE_SESSION, State.COMPLETED)],
    State.REJECTED: [*_PROVED, (Intent.REJECT, State.REJECTED)],
    State.CANCELLED: [*_PROVED, (Intent.CANCEL, State.CANCELLED)],
    State.PAYMENT_FAILED: [*_PAYING, (Intent.END_IDLE_ATTEMPT, State.PAYMENT_FAILED)],
}
HAS_SLOT = (*HOLDS_SLOT, State.COMPLETED, State.PAYMENT_FAILED)
CLOSED_BY = {
    State.REJECTED: Reason.DECLINED,
    State.CANCELLED: Reason.BY_STAFF,
    State.PAYMENT_FAILED: Reason.PAYMENT_TIMED_OUT,
}


def make_client(email: str = ASHA, *, now: datetime, **overrides: Any) -> Client:
    """The person behind the address; the same row when asked again."""
    given = {"full_name": "Asha Rao", "created_at": now, **overrides}
    return Client.objects.get_or_create(email=email, defaults=given)[0]


def make_psychologist(full_name: str = "Dr. Meera Iyer", **overrides: Any) -> Psychologist:
    """An active psychologist with a meeting link."""
    given = {"email": "meera@example.org", "meeting_link": "https://meet.example.org/meera", **overrides}
    return Psychologist.objects.create(full_name=full_name, **given)


def make_booking(state: State, *, now: datetime, **overrides: Any) -> Booking:
    """A booking that stands in `state` at `now`, with its ledger and, where it holds a slot, its claim.

    Its session is tomorrow at 17:30 IST, or was yesterday if it is over. `overrides` win over everything.
    """
    path = PATHS[state]
    fields = _typed(now) | {"state": state, "created_at": now - timedelta(hours=6), "ledger_sequence": len(path)}
    if state != State.DRAFT:
        fields["verified_at"] = now - timedelta(hours=5)
    if state in HAS_SLOT:
        fields |= slot_fields(state, now)
    fields |= _deadline(state, fields, now) | overrides
    if state in HAS_SLOT and "psychologist" not in fields:
        fields["psychologist"] = make_psychologist()
    if "client" not in fields:
        fields["client"] = make_client(fields["email"], now=now)
    booking: Booking = Booking.objects.create(**fields)
    _write_ledger(booking, path, now)
    if state in HOLDS_SLOT:
        _claim(booking)
    return booking


def make_payment(booking: Booking, *, now: datetime, **overrides: Any) -> Payment:
    """The capture that paid for the booking."""
    given = {
        "reference": f"PAY-{booking.pk}-{booking.payments.count()}",
        "gateway": "sandbox",
        "amount_paise": booking.amount_paise or 150_000,
        "currency": "INR",
        "state": PaymentState.CAPTURED,
        "captured_paise": booking.amount_paise or 150_000,
        "captured_currency": "INR",
        "started_at": now,
        "captured_at": now,
        "closed_at": now,
    }
    return Payment.objects.create(booking=booking, **(given | overrides))


def make_refund(payment: Payment, *, now: datetime, **overrides: Any) -> Refund:
    """All of a payment on its way back."""
    given = {
        "reference": f"REF-{payment.pk}-{payment.refunds.count()}",
        "amount_paise": payment.captured_paise,
        "reason": "granted_by_staff",
        "actor": "staff:desk",
        "queued_at": now,
    }
    return Refund.objects.create(payment=payment, **(given | overrides))


def make_data_request(state: RequestState, *, now: datetime, **overrides: Any) -> DataRequest:
    """The wish of a person with a closed booking to be erased."""
    booking = overrides.pop("booking", None) or make_booking(State.CANCELLED, now=now)
    is_open = state in (RequestState.ASKED, RequestState.WAITING)
    given = {
        "kind": RequestKind.ERASURE,
        "client": booking.client,
        "asked_at": now,
        "deadline": now + policy.DATA_REQUEST_WITHIN,
        "due_at": now + policy.ERASURE_AFTER if is_open else None,
        "closed_at": None if is_open else now,
    }
    return DataRequest.objects.create(state=state, booking=booking, **(given | overrides))


def make_enquiry(*, now: datetime, **overrides: Any) -> Enquiry:
    """What somebody wrote through the site's contact form."""
    given = {"subject": "Contact form", "text": "Do you speak Marathi?\nleela@example.org", "received_at": now}
    return Enquiry.objects.create(**(given | overrides))


def write_row(
    booking: Booking, intent: Intent, details: Details | None = None, *, now: datetime, reason: str = ""
) -> LedgerEntry:
    """One more ledger row, of something that was no transition."""
    booking.ledger_sequence += 1
    booking.save(update_fields=["ledger_sequence"])
    return LedgerEntry.objects.create(
        booking=booking,
        sequence=booking.ledger_sequence,
        at=now,
        intent=intent,
        source=booking.state,
        target=booking.state,
        reason=reason,
        actor="test",
        details=details.to_json() if details is not None else {},
    )


def _typed(now: datetime) -> dict[str, Any]:
    return {
        "email": ASHA,
        "full_name": "Asha Rao",
        "phone_number": "+919876543210",
        "city": "Pune",
        "region": "Maharashtra",
        "country": "India",
        "age": 31,
        "gender": "FEMALE",
        "emergency_contact": "Vikram Rao 9876500000",
        "user_message": "I have not slept well since spring.",
        "consent_given_at": now - timedelta(hours=6),
        "preferred_date": now.date() + timedelta(days=10),
        "preferred_period": "MORNING",
        "mode": Mode.ONLINE,
        "payment_mode": PaymentMode.ONLINE,
    }


def slot_fields(state: State, now: datetime) -> dict[str, Any]:
    """What approval settles, for a booking that stands in `state` now."""
    day = now.date() + timedelta(days=-1 if state == State.COMPLETED else 1)
    slot_start = datetime.combine(day, time(12), tzinfo=now.tzinfo)
    return {
        "slot_start": slot_start,
        "slot_end": slot_start + timedelta(hours=1),
        "meeting_link": "https://meet.example.org/meera",
        "amount_paise": 150_000,
        "pay_by": now + timedelta(hours=12),
    }


def _deadline(state: State, fields: dict[str, Any], now: datetime) -> dict[str, Any]:
    if state in FINAL:
        return {"closed_at": now, "reason": CLOSED_BY.get(state, "")}
    if state == State.DRAFT:
        return {"due_at": fields["created_at"] + policy.DRAFT_LIFETIME}
    if state == State.PENDING:
        return {"due_at": now + policy.ANSWER_WITHIN}
    if state == State.APPROVED:
        return {"due_at": policy.payment_deadline(fields["pay_by"], fields["slot_start"])}
    if state == State.PAYMENT_PENDING:
        return {"due_at": policy.attempt_deadline(now, fields["pay_by"], fields["slot_start"])}
    return {"due_at": policy.completion(fields["slot_end"])}


def _write_ledger(booking: Booking, path: list[tuple[Intent, State]], now: datetime) -> None:
    source = ""
    for sequence, (intent, target) in enumerate(path, start=1):
        LedgerEntry.objects.create(
            booking=booking, sequence=sequence, at=now, intent=intent, source=source, target=target, actor="test"
        )
        source = target


def _claim(booking: Booking) -> None:
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    assert booking.psychologist is not None
    SlotClaim.objects.create(
        booking=booking,
        psychologist=booking.psychologist,
        blocked_from=booking.slot_start,
        blocked_until=booking.slot_end + policy.SLOT_BUFFER,
    )
