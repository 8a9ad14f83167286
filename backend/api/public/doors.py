"""What the API's public endpoints and the visitor's own pages do alike: parse, count against the limits, intend.

The order is a rule of its own: a request is counted before anything is looked up, so that it is refused alike for
every address. What is `typed` may be anything; all raise DRF's ValidationError for what cannot be read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from backend.api import throttle
from backend.api.public.requests import (
    AcknowledgementRequest,
    AddressRequest,
    DraftRequest,
    EnquiryRequest,
    parse_request,
)
from backend.bookings import queries
from backend.bookings.lifecycle import attempts, cancellation, enquiries, visitor
from backend.bookings.models import Booking
from backend.bookings.queries import Progress
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.core.networks import Asked
from backend.payments.models import Payment


def submit_draft(request: Asked, typed: Any, *, now: datetime) -> None:
    """Record a request. Refuses: as `visitor.submit_draft`, and too_many_requests."""
    body = parse_request(DraftRequest, typed)
    throttle.limit_mails(request, now=now)
    visitor.submit_draft(body.draft(), now=now)


def send_link(request: Asked, typed: Any, *, now: datetime) -> None:
    """Mail to an address what it may know. Refuses: too_many_requests."""
    body = parse_request(AddressRequest, typed)
    throttle.limit_mails(request, now=now)
    visitor.request_link(body.validated_data["email"], now=now)


def find_booking(request: Asked, typed: Any, *, now: datetime) -> Progress:
    """By its id. Refuses: booking_unknown, too_many_misses."""
    acknowledgement_id = _acknowledgement_id(typed)
    found = _proved.first(acknowledgement_id=acknowledgement_id, **throttle.who_asks(request, now=now))
    if found is None:
        with throttle.limit_lookups(request, now=now):
            raise Refused(Code.BOOKING_UNKNOWN)
    return queries.progress(found)


def begin_payment(request: Asked, typed: Any, *, now: datetime) -> Payment:
    """Begin to pay, or go on with the attempt that is open. Refuses: as `attempts.start_payment`, too_many_misses."""
    acknowledgement_id = _acknowledgement_id(typed)
    with throttle.limit_lookups(request, now=now):
        return attempts.start_payment(acknowledgement_id, now=now)


def ask_to_cancel(request: Asked, typed: Any, *, now: datetime) -> Booking:
    """Mail the link that cancels.

    Refuses: as `cancellation.request_cancellation`, too_many_requests, too_many_misses.
    """
    acknowledgement_id = _acknowledgement_id(typed)
    throttle.limit_mails(request, now=now)
    with throttle.limit_lookups(request, now=now):
        return cancellation.request_cancellation(acknowledgement_id, now=now)


def receive_enquiry(request: Asked, typed: Any, *, now: datetime) -> None:
    """Keep a message from a contact form. Refuses: too_many_requests, and as `enquiries.receive_enquiry`."""
    body = parse_request(EnquiryRequest, typed).validated_data
    throttle.limit_enquiries(request, now=now)
    enquiries.receive_enquiry(body["subject"] or "No subject", body["text"], now=now)


@compiled
def _proved() -> QuerySet[Booking]:
    return throttle.unless_guessed(queries.proved(Given("acknowledgement_id")))


def _acknowledgement_id(typed: Any) -> str:
    body = parse_request(AcknowledgementRequest, typed)
    return queries.normalize_acknowledgement_id(body.validated_data["acknowledgement_id"])
