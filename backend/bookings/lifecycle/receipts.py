"""Receipts: a capture that counts gets one, a refund that was made its credit note; called by their intents, last.

Last, because the number's lock is held until commit (`payments/receipt_series.py`) and everybody's money waits for it.
"""

from __future__ import annotations

import logging
from datetime import date, datetime

from django.utils.translation import gettext

from backend.bookings.guarantees import held_session
from backend.bookings.models import Booking, Mode
from backend.core import languages
from backend.core.formatting import long_day, money, practice_zone
from backend.outbox import messages
from backend.outbox.models import Queue
from backend.payments import gst, receipts
from backend.payments.models import Payment, Receipt, Refund
from backend.payments.receipts import Supply
from backend.people import phones

log = logging.getLogger(__name__)
MAKE_RECEIPT = "make_receipt"  # what the payments worker is asked to do


def issue(booking: Booking, payment: Payment, *, left_paise: int, now: datetime) -> None:
    """The receipt of a capture that counts, after which so much is left to pay."""
    language = languages.or_default(booking.language)
    with languages.of(language):
        description = _description(booking, payment, left_paise)
    supply = Supply(
        language=language,
        person_name=booking.full_name,
        booking_reference=booking.acknowledgement_id,
        description=description,
        place_of_supply=_place_of_supply(booking),
    )
    _owe_file(receipts.issue(payment, supply, on=_practice_day(now), now=now), now=now)


def take_back(payment: Payment, amount_paise: int, *, refund: Refund | None = None, now: datetime) -> None:
    """The credit note of a refund that was made, or of a payment that was recorded by mistake.

    Money that nobody expected has no receipt, so nothing is taken back.
    """
    receipt = receipts.of_payment(payment)
    if receipt is not None:
        _owe_file(receipts.take_back(receipt, amount_paise, refund=refund, on=_practice_day(now), now=now), now=now)
    elif not payment.is_unexpected:
        log.error("payment %s has no receipt to take back", payment.reference)


def _description(booking: Booking, payment: Payment, left: int) -> str:
    """Of a part also what is left to pay of which price, as it is now."""
    session = gettext("Session on {day}").format(day=long_day(held_session(booking).start))
    price = money(booking.amount_paise)
    if left:
        return gettext("{session}; part payment, {left} of {price} left").format(
            session=session, left=money(left), price=price
        )
    is_all = payment.captured_paise == booking.amount_paise
    return session if is_all else gettext("{session}; last part of {price}").format(session=session, price=price)


def _owe_file(receipt: Receipt, *, now: datetime) -> None:
    """To no booking: neither waits for what the gateway is asked about it, nor may money wait for a document."""
    key = f"receipt:{receipt.pk}:{MAKE_RECEIPT}"
    messages.emit(queue=Queue.PAYMENTS, kind=MAKE_RECEIPT, dedupe_key=key, now=now, subject_id=receipt.pk)


def _place_of_supply(booking: Booking) -> str:
    """Section 12 of the IGST Act: where the session is held, or where who asked for it says they live.

    Empty: not known, which counts as the practice's own state.
    """
    if booking.mode == Mode.OFFLINE:
        return ""
    if phones.region_of(booking.country) != phones.HOME_REGION:
        return gst.ABROAD
    return gst.state_code(booking.region)


def _practice_day(at: datetime) -> date:
    return at.astimezone(practice_zone()).date()
