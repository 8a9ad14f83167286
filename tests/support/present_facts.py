"""What the rows say of everything that a mail may state: an oracle beside the notices' own sayings."""

from __future__ import annotations

from backend.bookings import links, payment_status
from backend.bookings.lifecycle import cancellation
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.bookings.payment_status import PaymentStatus
from backend.core import formatting
from backend.core.errors import Refused
from backend.outbox.models import Message
from backend.payments.models import PaymentMethod, Refund, RefundState

PAYING = (State.APPROVED, State.PAYMENT_PENDING)
OF_A_SESSION = (
    Notice.BOOKING_CONFIRMED,
    Notice.LATE_PAYMENT_BOOKED,
    Notice.PAYMENT_VOIDED,
    Notice.BOOKING_MOVED,
    Notice.SESSION_APPROACHING,
    Notice.SESSION_IMMINENT,
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED,
    Notice.PSYCHOLOGIST_SESSION_MOVED,
    Notice.SERIES_BOOKED,
    Notice.SERIES_MOVED,
    Notice.PSYCHOLOGIST_SERIES_CONFIRMED,
    Notice.PSYCHOLOGIST_SERIES_MOVED,
    Notice.CHOICE_OFFERED,
    Notice.CHOICE_STILL_OPEN,
    Notice.PSYCHOLOGIST_CHOICE_OFFERED,
)


def present(message: Message, booking: Booking) -> dict[str, object]:
    """What is so, of all that this mail may state."""
    day = formatting.day_and_time
    facts: dict[str, object] = {}
    if booking.state == State.DRAFT and booking.due_at is not None:
        facts["confirm_by"] = day(booking.due_at)
    if booking.state == State.PENDING and booking.due_at is not None:
        facts["answer_by"] = day(booking.due_at)
    if booking.state in HOLDS_SLOT and booking.slot_start is not None and booking.slot_end is not None:
        facts |= {"starts": day(booking.slot_start), "starts_at": booking.slot_start.isoformat()}
        facts |= {"ends_at": booking.slot_end.isoformat(), "psychologist": booking.psychologist.full_name}
        facts["place"] = booking.meeting_link or ", ".join(booking.address.splitlines())
    if booking.choose_by is not None:
        facts["choose_by"] = day(booking.choose_by)
    if booking.state in PAYING and booking.pay_by is not None and booking.choose_by is None:
        facts["pay_by"] = day(booking.pay_by)
    if message.kind in OF_A_SESSION and booking.state not in PAYING:
        status = payment_status.payment_status(booking)
        word = "due_at_practice" if status is PaymentStatus.PART_PAID else status.value
        facts["money"] = "paid" if payment_status.is_paid_up(booking) else word
    if message.kind == Notice.CANCELLATION_LAPSED:
        facts |= {"choose_by": day(booking.choose_by) if booking.choose_by else ""}
        facts |= {"is_session": booking.state in HOLDS_SLOT, "is_confirmed": booking.state == State.CONFIRMED}
    if message.kind == Notice.STAFF_CANCELLATION_REQUESTED:
        facts["state"] = State(booking.state).label.lower()
    return facts | _of_the_link(message, booking) | _of_the_refund(message, booking)


def _of_the_link(message: Message, booking: Booking) -> dict[str, object]:
    """What its page will promise."""
    if message.kind != Notice.CANCELLATION_REQUESTED:
        return {}
    link = links.find(links.token_of(message.uuid, Purpose.CANCEL), Purpose.CANCEL)
    facts: dict[str, object] = {"is_unpaid": booking.state in PAYING}
    try:
        promise = cancellation.cancellation_terms(booking, link, now=link.created_at)
    except Refused:
        return facts
    rupees = formatting.grouped_rupees
    facts["promised"] = rupees(promise.refund_paise) if promise.refund_paise else ""
    facts["stays"] = rupees(promise.paid_paise) if promise.paid_paise and not promise.refund_paise else ""
    facts["link_until"] = formatting.day_and_time(link.expires_at)
    return facts


def _of_the_refund(message: Message, booking: Booking) -> dict[str, object]:
    """How this very sum comes back."""
    if message.kind not in (Notice.REFUND_QUEUED, Notice.STAFF_REFUND_DUE):
        return {}
    assert message.context is not None
    refund = Refund.objects.get(reference=message.context["refund_reference"])
    ways = {RefundState.REFUSED: "by_hand", RefundState.UNFINISHED: "unfinished"}
    way = "desk" if refund.payment.method == PaymentMethod.DESK else ways.get(RefundState(refund.state), "online")
    return {"refund_way": way, "refund": message.context["refund"], "done": refund.state == RefundState.DONE}
