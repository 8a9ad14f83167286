"""What mails promise of money when somebody calls off: the same as the page behind their link will give."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings import links, payment_status, policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import RefundGranted, RefundMade
from backend.bookings.lifecycle import attempts, cancellation, desk_money, payments
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.machine import State
from backend.bookings.models import Booking, Link, Origin, Purpose
from backend.bookings.notices import Notice
from backend.bookings.payment_status import PaymentStatus
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import PaymentMethod, RefundState
from backend.people.models import Corporate
from tests.support import scenarios
from tests.support.factories import make_booking, make_payment, make_refund, write_row
from tests.support.mails import frozen, html_of, mail_about, mail_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]

WITH_TERMS = (Notice.BOOKING_CONFIRMED, Notice.LATE_PAYMENT_BOOKED, Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING)
NEVER = "By the terms accepted on our site, cancelling brings no refund of the ₹1,500.00 you paid."
IN_TIME = "If you cancel by Monday, 23 November 2026, 17:30 IST, ₹1,500.00 comes back to you; later, nothing does."
TOO_LATE = (
    "The time in which a payment comes back ended on Monday, 23 November 2026, 17:30 IST: the ₹1,500.00 you paid is"
    " not refunded."
)
MOVED = "As we moved the session, ₹1,500.00 comes back to you if you cancel before it starts."


def said(mail: Any) -> list[str]:
    """Both bodies on one line each, to look for sentences in."""
    return [" ".join(mail.body.split()), " ".join(html_of(mail).split())]


def paid(*, now: datetime, **overrides: Any) -> Booking:
    """A CONFIRMED booking with its money."""
    booking = make_booking(State.CONFIRMED, now=now, **overrides)
    make_payment(booking, now=now)
    return booking


# -- "if you cannot come" ---------------------------------------------------------------------------------------------

TERMS = [
    ("none", timedelta(0), False, NEVER),
    ("none", timedelta(hours=20), False, NEVER),
    ("full", timedelta(0), False, IN_TIME),
    ("full", timedelta(hours=7, minutes=30), False, IN_TIME),
    ("full", timedelta(hours=7, minutes=31), False, TOO_LATE),
    ("none", timedelta(hours=20), True, MOVED),
    ("full", timedelta(hours=20), True, MOVED),
]


@pytest.mark.parametrize("notice", WITH_TERMS)
@pytest.mark.parametrize(("setting", "later", "was_moved", "sentence"), TERMS)
def test_the_terms_are_those_of_the_moment(
    notice: Notice, setting: str, later: timedelta, was_moved: bool, sentence: str, now: datetime, monkeypatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = paid(now=now, moved_by_staff_at=now if was_moved else None)
    for text in said(mail_about(notice, booking, now=now + later)):
        assert [terms for terms in (NEVER, IN_TIME, TOO_LATE, MOVED) if terms in text] == [sentence]


@pytest.mark.parametrize("notice", WITH_TERMS)
def test_where_nothing_was_paid_no_refund_is_spoken_of(notice: Notice, now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme Mills")
    for text in said(mail_about(notice, make_booking(State.CONFIRMED, now=now, corporate=acme), now=now)):
        assert "If you cannot come" in text
        assert "refund" not in text
        assert "comes back to you" not in text


def test_what_was_given_back_already_is_not_promised_again(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = make_booking(State.CONFIRMED, now=now)
    make_refund(make_payment(booking, now=now), now=now, amount_paise=50_000)
    assert "₹1,000.00 comes back to you" in said(mail_about(Notice.BOOKING_CONFIRMED, booking, now=now))[0]


# -- one step left ----------------------------------------------------------------------------------------------------


def test_the_subject_says_that_one_step_is_left(now: datetime) -> None:
    mail = mail_of(Notice.CANCELLATION_REQUESTED, now=now, acknowledgement_id="MS-7K2QXW")
    assert mail.subject == "One step left: booking MS-7K2QXW is not cancelled yet"
    for text in said(mail):
        assert "Monday, 23 November 2026, 11:00 IST" in text


@pytest.mark.parametrize("setting", ["none", "full"])
@pytest.mark.parametrize("was_moved", [True, False])
@pytest.mark.parametrize("ahead", [timedelta(hours=23), timedelta(hours=24), timedelta(hours=30)])
@pytest.mark.parametrize("is_paid", [True, False])
def test_the_mail_promises_what_its_link_gives(
    setting: str, was_moved: bool, ahead: timedelta, is_paid: bool, now: datetime, monkeypatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = scenarios.approved(now=now, at=now + ahead)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    if is_paid:
        payment = attempts.start_payment(booking.acknowledgement_id, now=now)
        payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    Booking.objects.filter(pk=booking.pk).update(moved_by_staff_at=now if was_moved else None)
    message = Message.objects.get(kind=Notice.CANCELLATION_REQUESTED)
    later = now + timedelta(minutes=59)
    promise = cancellation.cancellation_terms(
        scenarios.again(booking), Link.objects.get(purpose=Purpose.CANCEL), now=later
    )
    facts = delivery.prepare(message, now=later)
    assert facts is not None
    assert facts["promised"] == ("1,500.00" if promise.refund_paise else "")
    assert facts["stays"] == ("1,500.00" if promise.paid_paise and not promise.refund_paise else "")
    text = said(delivery.compose(frozen(message, now=later), links.tokens_of(message.uuid)))[0]
    assert ("₹1,500.00 comes back to you" in text) == bool(promise.refund_paise)
    assert ("No payment for it has reached us." in text) == (not is_paid)


def test_a_promise_that_changed_is_not_repeated(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.approved(now=now, at=now + timedelta(hours=30))
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    message = frozen(Message.objects.get(kind=Notice.CANCELLATION_REQUESTED), now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    assert delivery.prepare(message, now=now) is None
    assert delivery.is_owed_anew(message, now=now)


LAPSED = [
    (State.PENDING, "Your request waits for our answer."),
    (State.APPROVED, "We are holding Tuesday, 24 November 2026, 17:30 IST for you; the payment is still open."),
    (State.CONFIRMED, "We expect you on Tuesday, 24 November 2026, 17:30 IST."),
]


@pytest.mark.parametrize(("state", "sentence"), LAPSED)
def test_a_booking_that_stands_says_how(state: State, sentence: str, now: datetime) -> None:
    mail = mail_about(Notice.CANCELLATION_LAPSED, make_booking(state, now=now), now=now)
    assert sentence in said(mail)[0]
    assert sentence in said(mail)[1].replace("<strong>", "").replace("</strong>", "")


# -- called off -------------------------------------------------------------------------------------------------------


def cancelled_mail(booking: Booking, *, now: datetime) -> Any:
    """The mail that the lifecycle owes about this cancellation."""
    message = frozen(Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_CANCELLED), now=now)
    return delivery.compose(message, {})


def by_staff(booking: Booking, *, refund: RefundChoice, now: datetime) -> Any:
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="Dr. Iyer is ill.", refund=refund, refund_reason="agreed", actor="desk", now=now
    )
    return cancelled_mail(booking, now=now)


def by_visitor(booking: Booking, *, now: datetime) -> Any:
    message = Message.objects.filter(booking_id=booking.pk, kind=Notice.BOOKING_CONFIRMED).latest("pk")
    cancellation.confirm_cancellation(links.token_of(message.uuid, Purpose.CANCEL_LATE), now=now)
    return cancelled_mail(booking, now=now)


@pytest.mark.parametrize(
    ("refund", "sentence"),
    [
        (RefundChoice.FULL, "₹1,500.00 comes back to you."),
        (RefundChoice.NONE, "This cancellation comes without a refund of the ₹1,500.00 you paid."),
    ],
)
def test_what_staff_called_off_says_so_with_their_words_and_the_money(
    refund: RefundChoice, sentence: str, now: datetime
) -> None:
    for text in said(by_staff(scenarios.confirmed(now=now), refund=refund, now=now)):
        assert "We are sorry: we had to cancel your session on Tuesday, 24 November 2026, 17:30 IST." in text
        assert "Dr. Iyer is ill." in text
        assert sentence in text.replace("<strong>", "").replace("</strong>", "")
        assert "Please take the appointment out of your calendar." in text


VISITORS = [
    ("full", timedelta(hours=1), "₹1,500.00 comes back to you."),
    ("none", timedelta(hours=1), "a cancellation comes without a refund of the ₹1,500.00 you paid."),
    ("full", timedelta(hours=20), "a cancellation this close to the start comes without a refund of the ₹1,500.00"),
]


@pytest.mark.parametrize(("setting", "later", "sentence"), VISITORS)
def test_what_the_visitor_called_off_says_what_comes_back(
    setting: str, later: timedelta, sentence: str, now: datetime, monkeypatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    for text in said(by_visitor(scenarios.confirmed(now=now), now=now + later)):
        assert "As you asked, your session on Tuesday, 24 November 2026, 17:30 IST is cancelled." in text
        assert sentence in text.replace("<strong>", "").replace("</strong>", "")
        assert "Our team adds" not in text


def test_a_payment_on_its_way_is_said_to_go_back(now: datetime) -> None:
    booking, _ = scenarios.paying(now=now)
    for text in said(by_staff(booking, refund=RefundChoice.FULL, now=now)):
        assert "If a payment of yours is still on its way, it goes back to you in full." in text
        assert "calendar" not in text


def test_a_request_that_was_called_off_speaks_of_no_money(now: datetime) -> None:
    for text in said(by_staff(scenarios.pending(now=now), refund=RefundChoice.FULL, now=now)):
        assert "your request for an appointment" in text
        assert "₹" not in text


# -- refunds ----------------------------------------------------------------------------------------------------------

WAYS = [
    ({}, RefundState.QUEUED, "It is on its way to the account or card that you paid with"),
    ({"method": PaymentMethod.DESK}, RefundState.QUEUED, "You paid at the practice, so the practice gives it back"),
    ({}, RefundState.REFUSED, "Our payment service could not send it, so our team will find another way with you."),
]


@pytest.mark.parametrize(("payment", "state", "sentence"), WAYS)
def test_a_refund_on_its_way_says_how_much_and_how(
    payment: dict[str, Any], state: RefundState, sentence: str, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    refund = make_refund(make_payment(booking, now=now, **payment), now=now, amount_paise=50_050, state=state)
    entry = write_row(booking, Intent.GRANT_REFUND, RefundGranted(refund.pk, refund.amount_paise), now=now)
    mail = mail_about(Notice.REFUND_QUEUED, booking, now=now, ledger_sequence=entry.sequence)
    assert mail.subject.endswith(": ₹500.50 comes back to you")
    for text in said(mail):
        assert "₹500.50" in text
        assert sentence in text
        assert ("some banking days" in text) == (sentence.startswith("It is on its way"))


def test_a_refund_that_was_made_says_how_much_and_under_which_reference(now: datetime) -> None:
    mail = mail_of(Notice.REFUND_MADE, now=now)
    assert mail.subject.endswith(": ₹1,500.00 has been given back")
    for text in said(mail):
        assert "REF-" in text


def test_money_we_could_not_use_is_told_as_such_when_it_was_given_back(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    payment = make_payment(booking, now=now, is_unexpected=True)
    refund = make_refund(payment, now=now, state=RefundState.DONE)
    entry = write_row(booking, Intent.REFUND_MADE, RefundMade(refund.pk, refund.amount_paise), now=now)
    mail = mail_about(Notice.REFUND_MADE, booking, now=now, ledger_sequence=entry.sequence)
    assert "The payment of ₹1,500.00 that we could not use has been given back to you." in said(mail)[0]


# -- how a booking stands with its money ------------------------------------------------------------------------------

STATUS = [
    (State.PENDING, {}, PaymentStatus.OPEN),
    (State.APPROVED, {}, PaymentStatus.OPEN),
    (State.APPROVED, {"amount_paise": 0}, PaymentStatus.NOT_NEEDED),
    (State.CONFIRMED, {"mode": "OFFLINE", "payment_mode": "OFFLINE"}, PaymentStatus.DUE_AT_PRACTICE),
    (State.CONFIRMED, {"mode": "OFFLINE", "payment_mode": "OFFLINE", "amount_paise": 0}, PaymentStatus.NOT_NEEDED),
    (State.COMPLETED, {"mode": "OFFLINE", "payment_mode": "OFFLINE"}, PaymentStatus.DUE_AT_PRACTICE),
    (State.PAYMENT_FAILED, {"mode": "OFFLINE", "payment_mode": "OFFLINE"}, PaymentStatus.NOT_NEEDED),
    (State.CANCELLED, {}, PaymentStatus.NOT_NEEDED),
    (State.REJECTED, {}, PaymentStatus.NOT_NEEDED),
]


@pytest.mark.parametrize(("state", "fields", "status"), STATUS)
def test_without_money_the_status_is_that_of_the_booking(
    state: State, fields: dict[str, Any], status: PaymentStatus, now: datetime
) -> None:
    assert payment_status.payment_status(make_booking(state, now=now, **fields)) is status


def test_a_sponsor_speaks_before_the_amount_but_not_before_approval(now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme Mills")
    assert (
        payment_status.payment_status(make_booking(State.CONFIRMED, now=now, corporate=acme)) is PaymentStatus.SPONSORED
    )
    named = make_booking(State.PENDING, now=now, corporate=acme, origin=Origin.STAFF)
    assert payment_status.payment_status(named) is PaymentStatus.OPEN


REFUNDS = [
    ([], PaymentStatus.PAID),
    ([(50_000, RefundState.QUEUED)], PaymentStatus.REFUND_UNDER_WAY),
    ([(150_000, RefundState.UNFINISHED)], PaymentStatus.REFUND_UNDER_WAY),
    ([(50_000, RefundState.DONE), (100_000, RefundState.QUEUED)], PaymentStatus.REFUND_UNDER_WAY),
    ([(50_000, RefundState.DONE), (100_000, RefundState.REFUSED)], PaymentStatus.REFUND_REFUSED),
    ([(50_000, RefundState.REFUSED), (50_000, RefundState.DONE)], PaymentStatus.PART_REFUNDED),
    ([(50_000, RefundState.DONE), (100_000, RefundState.DONE)], PaymentStatus.REFUNDED),
]


@pytest.mark.parametrize(("given", "status"), REFUNDS)
def test_money_that_came_in_speaks_first(
    given: list[tuple[int, RefundState]], status: PaymentStatus, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now, corporate=Corporate.objects.create(name="Acme Mills"))
    payment = make_payment(booking, now=now)
    for amount_paise, state in given:
        make_refund(payment, now=now, amount_paise=amount_paise, state=state)
    assert payment_status.payment_status(booking) is status
    at_desk = status if status is not PaymentStatus.REFUND_UNDER_WAY else PaymentStatus.REFUND_TO_HAND_OUT
    payment.method = PaymentMethod.DESK
    payment.save()
    assert payment_status.payment_status(booking) is at_desk
