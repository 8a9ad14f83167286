"""Notices owed about rows as they stand, and the mails made of them; for tests of what leaves and what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from backend.accounts import enrolment
from backend.bookings import links
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import (
    Captured,
    ChoiceOffered,
    Details,
    Moved,
    NotPaidInTime,
    PaymentVoided,
    RefundGranted,
    RefundMade,
    RefundRefused,
    UnexpectedlyCaptured,
)
from backend.bookings.machine import ACTIVE, HOLDS_SLOT, Reason, State
from backend.bookings.models import Alternative, Booking, DataRequest, PaymentMode, RequestKind
from backend.bookings.notices import OF_A_PERSON, Notice, links_carried
from backend.notifications import delivery
from backend.notifications.data_requests import TRUE_IN as TRUE_OF_A_PERSON
from backend.outbox.models import Message, Queue
from backend.payments.models import PaymentMethod, PaymentState, Refund, RefundState, VoidReason
from backend.people.models import Enquiry
from tests.support.factories import (
    ASHA,
    make_booking,
    make_data_request,
    make_enquiry,
    make_payment,
    make_psychologist,
    make_refund,
    slot_fields,
    write_row,
)

UUID_OF_ROW = UUID("2f6d1c1e-6f0e-4d6a-9a53-0c6f1f0e7b11")
DESK = "desk@example.org"
OF_KIND: dict[Notice, dict[str, Any]] = {
    Notice.DATA_CORRECTED: {"kind": RequestKind.CORRECTION, "changed": "phone_number emergency_contact"},
    Notice.CONSENT_WITHDRAWN: {"kind": RequestKind.WITHDRAWAL},
}
OF_NO_BOOKING = (Notice.NOTHING_OPEN, Notice.STAFF_ENQUIRY_RECEIVED, Notice.STAFF_INVITED, *OF_A_PERSON)
TO_PSYCHOLOGIST = tuple(notice for notice in Notice if notice.startswith("psychologist_"))
TO_STAFF = tuple(notice for notice in Notice if notice.startswith(("staff_", "manager_")))
TO_VISITOR = tuple(notice for notice in Notice if notice not in (*TO_STAFF, *TO_PSYCHOLOGIST))
_PROVED_STATES = set(State) - {State.DRAFT}
TRUE_IN: dict[Notice, set[State]] = {
    Notice.DRAFT_SUBMITTED: {State.DRAFT},
    Notice.DRAFT_STILL_UNVERIFIED: {State.DRAFT},
    Notice.DRAFT_LAPSED: set(),  # only of a draft that was never proved
    Notice.ALREADY_BOOKED: set(ACTIVE),
    Notice.LINK_REQUESTED: _PROVED_STATES,
    Notice.NOTHING_OPEN: set(State),
    Notice.BOOKING_RECEIVED: {State.PENDING},
    Notice.ANSWER_LATE: {State.PENDING},
    Notice.BOOKING_UNANSWERED: set(),  # only of a request that we left unanswered
    Notice.BOOKING_REJECTED: {State.REJECTED},
    Notice.BOOKING_APPROVED: {State.APPROVED, State.PAYMENT_PENDING},
    Notice.PAYMENT_STILL_DUE: {State.APPROVED},
    Notice.PAYMENT_ATTEMPT_FAILED: {State.APPROVED},
    Notice.PAYMENT_TIMED_OUT: {State.PAYMENT_FAILED},  # and of an approval that timed out
    Notice.LATE_PAYMENT_BOOKED: {State.CONFIRMED},
    Notice.PAYMENT_RECEIVED: {*HOLDS_SLOT, State.COMPLETED},
    Notice.PAYMENT_VOIDED: set(HOLDS_SLOT),
    Notice.PAYMENT_RETURNED: _PROVED_STATES,
    Notice.BOOKING_CONFIRMED: {State.CONFIRMED},
    Notice.BOOKING_MOVED: set(HOLDS_SLOT),
    Notice.CHOICE_OFFERED: set(HOLDS_SLOT),
    Notice.CHOICE_STILL_OPEN: set(HOLDS_SLOT),
    Notice.SESSION_APPROACHING: {State.CONFIRMED},
    Notice.SESSION_IMMINENT: {State.CONFIRMED},
    Notice.CANCELLATION_REQUESTED: set(ACTIVE),
    Notice.CANCELLATION_LAPSED: set(ACTIVE),
    Notice.BOOKING_CANCELLED: {State.CANCELLED},
    Notice.REFUND_QUEUED: _PROVED_STATES,
    Notice.REFUND_MADE: _PROVED_STATES,
    **{notice: set(State) for notice in OF_A_PERSON},
    Notice.STAFF_BOOKING_RECEIVED: {State.PENDING},
    Notice.STAFF_BOOKING_WAITING: {State.PENDING},
    Notice.MANAGER_BOOKING_OVERDUE: {State.PENDING},
    Notice.STAFF_CANCELLATION_REQUESTED: set(ACTIVE),
    Notice.STAFF_REFUND_DUE: _PROVED_STATES,
    Notice.STAFF_UNEXPECTED_MONEY: _PROVED_STATES,
    Notice.STAFF_ENQUIRY_RECEIVED: set(State),
    Notice.STAFF_INVITED: set(State),
    Notice.PSYCHOLOGIST_SESSION_CONFIRMED: {State.CONFIRMED},
    Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED: {
        State.APPROVED,
        State.PAYMENT_PENDING,
        State.PAYMENT_FAILED,
        State.CANCELLED,
    },
    Notice.PSYCHOLOGIST_SESSION_MOVED: {State.CONFIRMED},
    Notice.PSYCHOLOGIST_CHOICE_OFFERED: {State.CONFIRMED},
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: {State.CANCELLED},
    Notice.SERIES_BOOKED: set(HOLDS_SLOT),
    Notice.SERIES_MOVED: set(HOLDS_SLOT),
    Notice.SERIES_CANCELLED: {State.CANCELLED},
    Notice.PSYCHOLOGIST_SERIES_CONFIRMED: {State.CONFIRMED},
    Notice.PSYCHOLOGIST_SERIES_MOVED: {State.CONFIRMED},
    Notice.PSYCHOLOGIST_SERIES_CANCELLED: {State.CANCELLED},
}
CALLED_OFF = (Notice.PSYCHOLOGIST_SESSION_CANCELLED, Notice.PSYCHOLOGIST_SERIES_CANCELLED)
_OF_A_PAID_SESSION = (
    Notice.BOOKING_CONFIRMED,
    Notice.LATE_PAYMENT_BOOKED,
    Notice.SESSION_APPROACHING,
    Notice.SESSION_IMMINENT,
)


def true_booking(notice: Notice, *, now: datetime, **overrides: Any) -> Booking | None:
    """A booking of which the notice is true; none for those that speak of none."""
    if notice in OF_NO_BOOKING:
        return None
    never_proved = {"reason": Reason.EMAIL_NOT_VERIFIED, "verified_at": None}
    if notice == Notice.DRAFT_LAPSED:
        return make_booking(State.CANCELLED, now=now, **(never_proved | overrides))
    if notice == Notice.BOOKING_UNANSWERED:
        return make_booking(State.CANCELLED, now=now, **({"reason": Reason.UNANSWERED} | overrides))
    state = next(state for state in State if state in TRUE_IN[notice])
    if TRUE_IN[notice] == _PROVED_STATES:
        state = State.APPROVED
    booking = booking_in(notice, state, now=now, **overrides)
    if notice in _OF_A_PAID_SESSION and booking.payment_mode == PaymentMode.ONLINE:
        make_payment(booking, now=now)
    return booking


def booking_in(notice: Notice, state: State, *, now: datetime, **overrides: Any) -> Booking:
    """A booking in `state`; with a session that was called off, where the notice speaks of one."""
    given: dict[str, Any] = {}
    if notice in CALLED_OFF and state == State.CANCELLED:
        given = slot_fields(state, now) | {"psychologist": make_psychologist()}
    return make_booking(state, now=now, **(given | overrides))


def enqueued(notice: Notice, booking: Booking | None, *, now: datetime, **overrides: Any) -> Message:
    """The outbox row, as the lifecycle writes it, and the rows it speaks of unless `ledger_sequence` names one."""
    if booking is not None and notice in _SPEAKS_OF and "ledger_sequence" not in overrides:
        _SPEAKS_OF[notice](booking, now)
    uuid = overrides.get("uuid", UUID_OF_ROW)
    subject = _subject(notice, uuid, now=now)
    recipient = ASHA
    if notice in TO_STAFF or notice in TO_PSYCHOLOGIST:
        recipient = DESK if notice in TO_STAFF else "meera@example.org"
    given = {
        "uuid": uuid,
        "queue": Queue.MAIL,
        "kind": notice,
        "dedupe_key": f"test:{notice}",
        "booking_id": booking.pk if booking else None,
        "subject_id": subject.pk if subject is not None else None,
        "ledger_sequence": booking.ledger_sequence if booking else None,
        "recipient": recipient,
        "not_before": now,
        "next_attempt_at": now,
        "created_at": now,
        "correlation_id": "5f0c6ad2b1",
    }
    message = Message.objects.create(**(given | overrides))
    linked = subject.booking if isinstance(subject, DataRequest) else booking
    for purpose in links_carried(notice, linked.state) if linked else ():
        links.issue(linked, purpose, message_uuid=message.uuid, now=now)
    return message


def _subject(notice: Notice, mail: UUID, *, now: datetime) -> Enquiry | DataRequest | User | None:
    """What it speaks of instead of a booking."""
    if notice in OF_A_PERSON:
        return make_data_request(TRUE_OF_A_PERSON[notice], now=now, **OF_KIND.get(notice, {}))
    if notice == Notice.STAFF_INVITED:
        account = User.objects.create_user("meena", is_staff=True)
        enrolment.make_link(account, by="staff:ravi", now=now, mail=mail)
        return account
    return make_enquiry(now=now) if notice == Notice.STAFF_ENQUIRY_RECEIVED else None


def frozen(message: Message, *, now: datetime) -> Message:
    """The row after its first attempt, as the database keeps it: nobody knows whether that has left."""
    context = delivery.prepare(message, now=now)
    assert context is not None
    message.context, message.frozen_at, message.may_have_left = context, now, True
    message.save(update_fields=["context", "frozen_at", "may_have_left"])
    return Message.objects.get(pk=message.pk)


def mail_about(notice: Notice, booking: Booking | None, *, now: datetime, **overrides: Any) -> Any:
    """The composed mail about this booking."""
    message = frozen(enqueued(notice, booking, now=now, **overrides), now=now)
    return delivery.compose(message, links.tokens_of(message.uuid))


def mail_of(notice: Notice, *, now: datetime, **overrides: Any) -> Any:
    """The composed mail about a booking of which it is true."""
    return mail_about(notice, true_booking(notice, now=now, **overrides), now=now)


def html_of(mail: Any) -> str:
    """The HTML body."""
    return str(mail.alternatives[0].content)


def _asked_to_cancel(booking: Booking, now: datetime) -> None:
    Booking.objects.filter(pk=booking.pk).update(cancellation_requested_at=now)
    write_row(booking, Intent.REQUEST_CANCELLATION, now=now)


def _moved(booking: Booking, now: datetime) -> None:
    who, start = booking.psychologist_id or 0, booking.slot_start or now  # also where there is no session
    write_row(booking, Intent.RESCHEDULE, Moved(start - timedelta(hours=2), start, who, who), now=now)


def _to_choose(booking: Booking, now: datetime) -> None:
    """Where there is a session; its row says when the choice ends."""
    if booking.state in HOLDS_SLOT:
        Booking.objects.filter(pk=booking.pk).update(choose_by=now + timedelta(hours=12), moved_by_staff_at=now)
    write_row(booking, Intent.OFFER_CHOICE, ChoiceOffered(now + timedelta(hours=12)), now=now)


def _declined(booking: Booking, now: datetime) -> None:
    write_row(booking, Intent.FAIL_ATTEMPT, NotPaidInTime(), now=now, reason=Reason.ATTEMPT_FAILED)


def _unexpected(booking: Booking, now: datetime) -> None:
    payment = make_payment(booking, now=now, is_unexpected=True)
    write_row(
        booking, Intent.RECORD_UNEXPECTED_CAPTURE, UnexpectedlyCaptured(payment.pk, payment.captured_paise), now=now
    )


def _received(booking: Booking, now: datetime) -> None:
    payment = make_payment(booking, now=now, method=PaymentMethod.DESK, captured_paise=50_000)
    write_row(booking, Intent.RECORD_DESK_PAYMENT, Captured(payment.pk, payment.captured_paise), now=now)


def _voided(booking: Booking, now: datetime) -> None:
    payment = make_payment(booking, now=now, method=PaymentMethod.DESK, state=PaymentState.VOIDED)
    details = PaymentVoided(payment.pk, payment.captured_paise, VoidReason.WRONG_BOOKING, booking.slot_start or now)
    write_row(booking, Intent.VOID_DESK_PAYMENT, details, now=now)


def _offered(booking: Booking, now: datetime) -> None:
    """Three times that are free, all of one psychologist."""
    who = make_psychologist("Dr. Rohan Mehta")
    for number in (1, 2, 3):
        start = now + timedelta(days=number)
        Alternative.objects.create(
            booking=booking,
            number=number,
            psychologist=who,
            slot_start=start,
            slot_end=start + timedelta(hours=1),
            amount_paise=200_000,
        )


def _refund_in(
    state: RefundState, intent: Intent, told: Callable[[Refund], Details]
) -> Callable[[Booking, datetime], None]:
    def rows(booking: Booking, now: datetime) -> None:
        refund = make_refund(make_payment(booking, now=now), now=now, state=state)
        write_row(booking, intent, told(refund), now=now)

    return rows


_SPEAKS_OF: dict[Notice, Callable[[Booking, datetime], None]] = {
    Notice.PAYMENT_ATTEMPT_FAILED: _declined,
    Notice.PAYMENT_RECEIVED: _received,
    Notice.PAYMENT_VOIDED: _voided,
    Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED: _voided,
    Notice.PAYMENT_RETURNED: _unexpected,
    Notice.STAFF_UNEXPECTED_MONEY: _unexpected,
    Notice.BOOKING_REJECTED: _offered,
    Notice.BOOKING_MOVED: _moved,
    Notice.PSYCHOLOGIST_SESSION_MOVED: _moved,
    Notice.SERIES_MOVED: _moved,
    Notice.PSYCHOLOGIST_SERIES_MOVED: _moved,
    Notice.CHOICE_OFFERED: _to_choose,
    Notice.CHOICE_STILL_OPEN: _to_choose,
    Notice.PSYCHOLOGIST_CHOICE_OFFERED: _to_choose,
    Notice.CANCELLATION_REQUESTED: _asked_to_cancel,
    Notice.STAFF_CANCELLATION_REQUESTED: _asked_to_cancel,
    Notice.REFUND_QUEUED: _refund_in(
        RefundState.QUEUED, Intent.GRANT_REFUND, lambda r: RefundGranted(r.pk, r.amount_paise)
    ),
    Notice.REFUND_MADE: _refund_in(RefundState.DONE, Intent.REFUND_MADE, lambda r: RefundMade(r.pk, r.amount_paise)),
    Notice.STAFF_REFUND_DUE: _refund_in(RefundState.REFUSED, Intent.REFUND_REFUSED, lambda r: RefundRefused(r.pk)),
}
