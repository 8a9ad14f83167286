"""Bookings for a practice to be looked at: every state, yesterday, today and the weeks ahead, each through its intents.

A hostile sample is for tests: some of its visitors wrote markup for a name, which no page may take for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count, product
from random import Random

from backend.bookings import actors, links, policy
from backend.bookings.guarantees import payment_terms
from backend.bookings.lifecycle import (
    attempts,
    cancellation,
    desk_money,
    front_desk,
    payments,
    refunds,
    timers,
    visitor,
)
from backend.bookings.lifecycle.approval import approve, reject
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.lifecycle.session_terms import Approval, GuardianConsent
from backend.bookings.models import Booking, GuardianProof, Mode, Outcome, PaymentMode, Purpose
from backend.core.errors import OutsideFailure
from backend.core.formatting import practice_zone
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.adapters import gateway_named
from backend.payments.gateway import Order, OrderReport, OrderState, RefundOrderState, RefundReport
from backend.payments.models import Payment, Refund
from backend.people.models import Corporate, Psychologist, TimeOff

ACTOR = actors.staff("sample")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GUARDIAN = GuardianConsent("Meera Rao, mother", GuardianProof.SPOKEN)
FIRST = ("Asha", "Ravi", "Meena", "Farhan", "Kavya", "Joseph", "Lakshmi", "Imran", "Divya", "Arjun", "Sneha", "Vikram")
LAST = ("Rao", "Nair", "Iyer", "Khan", "Das", "Fernandes", "Patel", "Gowda", "Menon")
MARKUP = ("<script>document.title='taken'</script>", "<img src=x onerror=\"document.title='taken'\"> & <b>Söhne</b>")
STARTS = (9, 11, 13, 15, 17, 19)  # o'clock, so that a session and its pause fit between two


@dataclass(frozen=True)
class Place:
    """A time of a psychologist that nobody has taken."""

    psychologist: Psychologist
    start: datetime


class Sample:
    """Makes bookings as of `now`; the order of its stories is the order in which small samples have them."""

    def __init__(self, *, now: datetime, is_hostile: bool = False) -> None:
        self.now, self.is_hostile = now, is_hostile
        self.gateway_answers = True  # until it does not
        self._number = count()
        self._ahead, self._today, self._past = (self._places(days) for days in ((1, 25), (0, 1), (-12, 0)))
        self._stories: tuple[Callable[[int], object], ...] = (
            self._asked, self._confirmed_today, self._held, self._confirmed, self._asked, self._approved, self._asked,
            self._held, self._confirmed_today, self._confirmed, self._draft, self._cancelled, self._approved,
            self._paying, self._rejected, self._asked_to_cancel, self._held, self._lapsed, self._refund_refused,
            self._confirmed,
        )  # fmt: skip

    def make(self, bookings: int) -> None:
        """So many, and somebody's time off."""
        for n in range(bookings):
            self._stories[n % len(self._stories)](n)
        who = Psychologist.objects.filter(is_active=True).order_by("-pk").first()
        if who is not None:
            start = self._local(2, 12)
            TimeOff.objects.create(psychologist=who, starts_at=start, ends_at=start + 5 * HOUR, note="Training")

    # -- stories -------------------------------------------------------------------------------------------------------

    def _draft(self, n: int) -> Booking:
        return self._submit(n, self.now - (n % 5) * HOUR)

    def _asked(self, n: int) -> Booking:
        """Waits for a decision, some with a wish, some by phone, some whose message was read."""
        at = self.now - (n * 7 % 60) * HOUR
        if n % 4 == 1:
            return front_desk.create_by_staff(self._form(n, at), actor=ACTOR, now=at).booking
        wish = next(self._ahead) if n % 4 == 0 else None
        booking = self._prove(n, at, wish=wish)
        if n % 3 == 0:
            Booking.objects.filter(pk=booking.pk).update(message_read_at=at)
        if n % 20 == 6:
            mail = Message.objects.filter(booking_id=booking.pk, queue=Queue.MAIL, recipient=booking.email).latest("pk")
            Message.objects.filter(pk=mail.pk).update(
                state=MessageState.DEAD, attempts=8, settled_at=self.now - HOUR, last_error="550 5.1.1 no such mailbox"
            )
        return booking

    def _approved(self, n: int) -> Booking:
        """Some with hours to pay left, some with few."""
        at = self.now - (23 if n % 3 == 0 else 4) * HOUR
        return self._approve(n, next(self._ahead), at, is_online=True)

    def _paying(self, n: int) -> Booking:
        booking = self._approve(n, next(self._ahead), self.now - 2 * HOUR, is_online=True)
        attempts.start_payment(booking.acknowledgement_id, now=self.now - (n % 20) * timedelta(minutes=1))
        return booking

    def _confirmed(self, n: int) -> Booking:
        return self._confirm(n, next(self._ahead), self.now - DAY)

    def _confirmed_today(self, n: int) -> Booking:
        place = next(self._today)
        return self._confirm(n, place, place.start - 2 * DAY)

    def _held(self, n: int) -> Booking:
        """Most with an outcome; of those in person some were never paid."""
        place = next(self._past)
        booking = self._confirm(n, place, place.start - 2 * DAY)
        if n % 4:
            outcome = Outcome.NO_SHOW if n % 8 == 2 else Outcome.ATTENDED
            front_desk.record_outcome(booking.pk, outcome, actor=ACTOR, now=place.start + 2 * HOUR)
        return booking

    def _asked_to_cancel(self, n: int) -> Booking:
        booking = self._confirm(n, next(self._ahead), self.now - DAY)
        cancellation.request_cancellation(booking.acknowledgement_id, now=self.now - timedelta(minutes=25))
        return booking

    def _rejected(self, n: int) -> Booking:
        booking = self._prove(n, self.now - 2 * DAY)
        return reject(booking.pk, note_to_visitor="We are full.", actor=ACTOR, now=self.now - DAY)

    def _cancelled(self, n: int) -> Booking:
        """Paid at the desk, and the money is to be handed out again."""
        booking = self._approve(n, next(self._ahead), self.now - DAY, is_online=True)
        desk_money.record_desk_payment(booking.pk, actor=ACTOR, now=self.now - 20 * HOUR)
        return self._cancel(booking, self.now - 3 * HOUR)

    def _lapsed(self, n: int) -> Booking:
        """Not paid in time, with an attempt open at the end."""
        booking = self._approve(n, next(self._ahead), self.now - 3 * DAY, is_online=True)
        pay_by = payment_terms(booking).pay_by
        payment = attempts.start_payment(booking.acknowledgement_id, now=pay_by - timedelta(minutes=5))
        attempts.end_idle_attempt(payment.pk, now=pay_by + HOUR)
        return booking

    def _refund_refused(self, n: int) -> Booking:
        booking = self._cancel(self._confirm(n, next(self._ahead), self.now - DAY, is_online=True), self.now - 5 * HOUR)
        refund = Refund.objects.filter(payment__booking=booking).first()
        if refund is not None:
            report = RefundReport(refund.reference, "refused", RefundOrderState.REFUSED, refund.amount_paise)
            refunds.record_refund(refund.pk, report, now=self.now - 4 * HOUR)
        return booking

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _submit(self, n: int, at: datetime, *, wish: Place | None = None, is_online: bool | None = None) -> Booking:
        form = self._form(n, at, wish=wish, is_online=is_online)
        visitor.submit_draft(form, now=at)
        return Booking.objects.get(client__email=form.email)

    def _prove(self, n: int, at: datetime, *, wish: Place | None = None, is_online: bool | None = None) -> Booking:
        booking = self._submit(n, at, wish=wish, is_online=is_online)
        mail = Message.objects.filter(booking_id=booking.pk).earliest("pk")
        return visitor.verify_email(links.token_of(mail.uuid, Purpose.BOOKING), now=at)

    def _approve(self, n: int, place: Place, at: datetime, *, is_online: bool | None = None) -> Booking:
        booking = self._prove(n, at - HOUR, is_online=is_online)
        if n % 10 == 3 and is_online is None:
            corporate = Corporate.objects.filter(is_active=True).order_by("pk").first()
            front_desk.sponsor(booking.pk, corporate.pk if corporate else None, actor=ACTOR, now=at)
        approval = Approval(
            place.psychologist.pk, place.start, guardian_consent=GUARDIAN, despite_hours=True,
            pay_if_not_sponsored=True, slot_length=policy.SESSION_LENGTH,
        )  # fmt: skip
        return approve(booking.pk, approval, actor=ACTOR, now=at)

    def _confirm(self, n: int, place: Place, at: datetime, *, is_online: bool | None = None) -> Booking:
        """Paid, unless nothing is to be paid up front; and over, if its time has passed."""
        booking = self._approve(n, place, at, is_online=is_online)
        if booking.state != "CONFIRMED":
            payment = attempts.start_payment(booking.acknowledgement_id, now=at + HOUR)
            payments.record_report(self._captured(payment), actor=actors.gateway("sandbox"), now=at + HOUR)
        over = policy.completion(place.start + policy.SESSION_LENGTH)
        if over <= self.now:
            timers.complete_session(booking.pk, now=over)
        return Booking.objects.get(pk=booking.pk)

    def _cancel(self, booking: Booking, at: datetime) -> Booking:
        note = "We are sorry: this time is not possible any more."
        return cancellation.cancel_by_staff(
            booking.pk, note_to_visitor=note, refund=RefundChoice.FULL, refund_reason="", actor=ACTOR, now=at
        )

    def _form(self, n: int, at: datetime, *, wish: Place | None = None, is_online: bool | None = None) -> Draft:
        first, last = FIRST[n % len(FIRST)], LAST[n % len(LAST)]
        in_person = is_online is None and n % 3 == 1
        return Draft(
            email=f"{first}.{last}.{next(self._number)}@example.org".lower(),
            full_name=MARKUP[n % 2] if self.is_hostile and n % 40 in (6, 8, 9) else f"{first} {last}",
            phone_number=f"+9198{45000000 + 7919 * n}",
            city="Bengaluru",
            region="Karnataka",
            country="India",
            age=16 if n % 25 == 4 else 22 + n % 40,
            gender=("FEMALE", "MALE", "OTHER", "PREFER_NOT_TO_SAY")[n % 4],
            emergency_contact=f"{LAST[n % len(LAST)]} family, 9845012345",
            preferred_date=(at + (3 + n % 9) * DAY).astimezone(practice_zone()).date(),
            preferred_period=("MORNING", "EVENING")[n % 2],
            preferred_time_start=None,
            preferred_time_end=None,
            mode=Mode.OFFLINE if in_person else Mode.ONLINE,
            payment_mode=PaymentMode.OFFLINE if in_person else PaymentMode.ONLINE,
            user_message="" if n % 5 == 2 else "I have not slept well since spring, and would like to talk to someone.",
            preferred_psychologist_id=wish.psychologist.pk if wish else None,
            preferred_slot_start=wish.start if wish else None,
        )

    def _captured(self, payment: Payment) -> OrderReport:
        """Paid at the gateway, so that it knows the payment when money is to go back; made up while none answers."""
        if not self.gateway_answers:
            return _made_up(payment)
        gateway = gateway_named(payment.gateway)
        try:
            gateway.ensure_order(Order(payment.reference, payment.amount_paise, payment.currency))
            report = gateway.complete_order(payment.reference)
        except OutsideFailure:
            self.gateway_answers = False
            return _made_up(payment)
        return report if report.state == OrderState.CAPTURED else _made_up(payment)

    # -- times ---------------------------------------------------------------------------------------------------------

    def _places(self, days: tuple[int, int]) -> Iterator[Place]:
        """In an order that spreads small samples, always the same."""
        people = list(Psychologist.objects.filter(is_active=True).order_by("pk"))
        places = [Place(who, self._local(day, hour)) for day, hour, who in product(range(*days), STARTS, people)]
        Random(7).shuffle(places)  # noqa: S311  # no secret
        return iter(places)

    def _local(self, days: int, hour: int) -> datetime:
        zone = practice_zone()
        return datetime.combine(self.now.astimezone(zone).date() + days * DAY, time(hour), tzinfo=zone)


def _made_up(payment: Payment) -> OrderReport:
    return OrderReport(
        payment.reference, f"order_{payment.pk}", OrderState.CAPTURED, payment.amount_paise, payment.currency,
        f"cap_{payment.pk}",
    )  # fmt: skip
