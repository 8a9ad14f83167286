"""What staff see of a booking and of the people around it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects

from backend.api.responses import hour_and_minute, local_iso, utc_iso
from backend.api.staff.lists import chosen
from backend.bookings import queries, sponsors, staff_queries
from backend.bookings.access import AccessPolicy
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.payment_status import owed_paise, paid_paise
from backend.core import formatting
from backend.core.formatting import practice_zone
from backend.outbox.models import Message
from backend.payments.models import Payment, Receipt, Refund
from backend.people import phones
from backend.people.models import Corporate, Psychologist
from backend.scheduling.suggestions import Suggestion


def summary(booking: Booking, access: AccessPolicy, names: Collection[str] | None = None) -> dict[str, Any]:
    """One line of the list, and the answer of every action. Never the visitor's message."""
    return chosen(_summary(booking, access), names)


def _summary(booking: Booking, access: AccessPolicy) -> dict[str, Any]:
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "status": booking.state,
        "reason": booking.reason,
        "origin": booking.origin,
        "is_priority": booking.is_priority,
        "created_at": utc_iso(booking.created_at),
        "due_at": utc_iso(booking.due_at),
        "pay_by": utc_iso(booking.pay_by),
        "closed_at": utc_iso(booking.closed_at),
        "cancellation_requested_at": utc_iso(booking.cancellation_requested_at),
        "choose_by": utc_iso(booking.choose_by),
        "full_name": booking.full_name,
        "email": booking.email,
        "phone_number": lambda: access.phone(booking),
        "is_minor": booking.is_minor,
        "preferred_date": booking.preferred_date.isoformat(),
        "preferred_period": booking.preferred_period,
        "preferred_time_start": hour_and_minute(booking.preferred_time_start),
        "preferred_time_end": hour_and_minute(booking.preferred_time_end),
        "preferred_psychologist": _named(booking.preferred_psychologist),
        "preferred_slot_start": utc_iso(booking.preferred_slot_start),
        "mode": booking.mode,
        "payment_mode": booking.payment_mode,
        "psychologist": _named(booking.psychologist),
        "corporate": _named(booking.corporate),
        "slot_start": utc_iso(booking.slot_start),
        "slot_end": utc_iso(booking.slot_end),
        "amount": rupees(booking.amount_paise),
        "outcome": booking.outcome,
        "follows": None if booking.follows is None else booking.follows.acknowledgement_id,
    }


def detail(
    booking: Booking, access: AccessPolicy, names: Collection[str] | None = None, *, now: datetime
) -> dict[str, Any]:
    """Everything about one booking, or what was asked for; its visitor's message for those who may read it."""
    prefetch_related_objects([booking], "payments__refunds")
    return chosen({**_summary(booking, access), **_more(booking, access, now=now)}, names)


def _more(booking: Booking, access: AccessPolicy, *, now: datetime) -> dict[str, Any]:
    return {
        "city": booking.city,
        "state": booking.region,
        "country": booking.country,
        "age": booking.age,
        "gender": booking.gender,
        "emergency_contact": lambda: access.contact(booking),
        "user_message": lambda: booking.user_message if access.reads_message(booking) else None,
        "verified_at": utc_iso(booking.verified_at),
        "guardian_consent_at": utc_iso(booking.guardian_consent_at),
        "guardian_consent_by": booking.guardian_consent_by,
        "guardian_name": booking.guardian_name,
        "guardian_proof": booking.guardian_proof,
        "meeting_link": booking.meeting_link,
        "address": booking.address,
        "note_to_visitor": booking.note_to_visitor,
        "moved_by_staff_at": utc_iso(booking.moved_by_staff_at),
        "payment_status": lambda: queries.payment_status_value(booking),
        "amount_paid": lambda: rupees(paid_paise(booking)),
        "amount_left": lambda: rupees(owed_paise(booking)),
        "sponsor_code": booking.sponsor_code,
        "sponsorship": lambda: None if booking.corporate is None else _sponsorship(booking, booking.corporate, now=now),
        "ledger": lambda: [_entry(entry) for entry in staff_queries.ledger(booking)],
        "payments": lambda: [_payment(payment) for payment in staff_queries.payments(booking)],
        "messages": lambda: [_message(message) for message in staff_queries.messages(booking)],
    }


def _sponsorship(booking: Booking, corporate: Corporate, *, now: datetime) -> dict[str, Any]:
    """The month whose allowance holds the session; before approval, whether the coming months would cover it."""
    months = sponsors.outlook(corporate, now=now) if booking.state == State.PENDING else []
    return {
        **corporate_row(corporate),
        "month": None if booking.sponsored_month is None else f"{booking.sponsored_month:%Y-%m}",
        "returned_at": utc_iso(booking.sponsorship_returned_at),
        "outlook": [
            {
                "month": f"{month.first_day:%Y-%m}",
                "used": month.used,
                "left": month.left,
                "not_covered_because": month.gap.value if month.gap else None,
            }
            for month in months
        ],
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": utc_iso(entry.at),
        "intent": entry.intent,
        "source": entry.source,
        "target": entry.target,
        "reason": entry.reason,
        "actor": entry.actor,
        "details": entry.details,
        "correlation_id": entry.correlation_id,
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "payment_reference": payment.reference,
        "method": payment.method,
        "gateway": payment.gateway,
        "state": payment.state,
        "amount": rupees(payment.amount_paise),
        "captured": rupees(payment.captured_paise),
        "is_unexpected": payment.is_unexpected,
        "started_at": utc_iso(payment.started_at),
        "captured_at": utc_iso(payment.captured_at),
        "refunds": [_refund(refund) for refund in payment.refunds.all()],
        "receipts": [_receipt(receipt, payment) for receipt in payment.receipts.all()],
    }


def _refund(refund: Refund) -> dict[str, Any]:
    return {
        "refund_reference": refund.reference,
        "state": refund.state,
        "amount": rupees(refund.amount_paise),
        "reason": refund.reason,
        "actor": refund.actor,
        "queued_at": utc_iso(refund.queued_at),
        "settled_at": utc_iso(refund.settled_at),
    }


def _receipt(receipt: Receipt, payment: Payment) -> dict[str, Any]:
    references = {refund.pk: refund.reference for refund in payment.refunds.all()}
    return {
        "number": receipt.number,
        "kind": receipt.kind,
        "at": utc_iso(receipt.at),
        "amount": rupees(receipt.amount_paise),
        "refund_reference": references.get(receipt.refund_id or 0),
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "kind": message.kind,
        "queue": message.queue,
        "recipient": message.recipient,
        "state": message.state,
        "not_before": utc_iso(message.not_before),
        "settled_at": utc_iso(message.settled_at),
        "attempts": message.attempts,
        "last_error": message.last_error,
    }


def suggestions(found: list[Suggestion]) -> dict[str, Any]:
    """Free slots in the order in which they suit a booking."""
    zone = practice_zone()
    shown = [
        {
            "psychologist_id": one.slot.psychologist_id,
            "start": local_iso(one.slot.start, zone),
            "end": local_iso(one.slot.end, zone),
            "fits": one.fits,
        }
        for one in found
    ]
    return {"time_zone": zone.key, "suggestions": shown}


def corporate_row(row: Corporate) -> dict[str, Any]:
    """Who may sponsor sessions."""
    return {"id": row.pk, "name": row.name, "is_active": row.is_active}


def phone(booking: Booking) -> dict[str, Any]:
    """What is shown once, and recorded."""
    return {"phone_number": phones.shown(booking.phone_number), "emergency_contact": booking.emergency_contact}


def _named(row: Psychologist | Corporate | None) -> dict[str, Any] | None:
    return None if row is None else {"id": row.pk, "name": str(row)}


def rupees(paise: int | None) -> str | None:
    """With two decimals; None where there is no sum."""
    return None if paise is None else formatting.rupees(paise)
