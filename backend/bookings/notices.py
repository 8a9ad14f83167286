"""What a mail says and whether it is still true: judged when it leaves, not when it was owed.

`prepare` reads the booking again and returns what the templates need, or None when the notice has been overtaken;
`compose` makes the mail of what `prepare` once said. Between the two stands the outbox row, which keeps the first
attempt's words for every retry. They hold no token and no line of the visitor's message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from backend.bookings import links, policy, wording
from backend.bookings.invitation import invitation
from backend.bookings.machine import ACTIVE, Notice, Reason, State
from backend.bookings.mail import ReproducibleMail, domain, render
from backend.bookings.models import Booking, LedgerEntry, Mode, PaymentMode, Period
from backend.errors import Permanent
from backend.outbox.models import Message
from backend.payments.models import Payment, PaymentState

Facts = dict[str, object]  # goes into a JSON column: text, numbers, flags, lists of them
Truth = Callable[[Booking, Message, datetime], bool]
Saying = Callable[[Booking], Facts]


def prepare(message: Message, *, now: datetime) -> Facts | None:
    """The context of the mail's templates; None when it is no longer true and must not be sent."""
    notice = Notice(message.kind)
    if notice == Notice.NOTHING_OPEN:  # speaks of no booking
        return message.context or _house()
    rule = RULES[notice]
    booking = Booking.objects.select_related("psychologist").defer("user_message").filter(pk=message.booking_id).first()
    if booking is None or not rule.holds(booking, message, now):
        return None
    facts = _house()
    for saying in rule.says:
        facts |= saying(booking)
    if message.context is None:
        return facts
    return message.context if _promises_the_same(message.context, facts) else None


def compose(message: Message, token: str) -> EmailMultiAlternatives:
    """The mail, from the frozen context: the same bytes on every call. Raises Permanent when its link is gone."""
    assert message.context is not None, "freeze the context first"
    assert message.frozen_at is not None
    notice = Notice(message.kind)
    context = dict(message.context)
    if notice in links.CARRIED_BY:
        if not token:
            raise Permanent("the link that this mail carries is gone")
        context["booking_url"] = f"{context['site_url']}/verify-email?token={token}"
    mail = ReproducibleMail(
        render(notice, context),
        to=message.recipient,
        uuid=message.uuid,
        dated=message.frozen_at,
        correlation_id=message.correlation_id,
    )
    if notice == Notice.BOOKING_CONFIRMED:
        sequence = message.ledger_sequence or 0
        entry = invitation(context, domain=domain(), sequence=sequence, stamped_at=message.frozen_at)
        mail.attach("appointment.ics", entry, "text/calendar")
    return mail


# -- when is it true? --------------------------------------------------------------------------------------------------


def _deadline_ahead(booking: Booking, _message: Message, now: datetime) -> bool:
    return booking.due_at is not None and booking.due_at > now


def _never_proved(booking: Booking, message: Message, _now: datetime) -> bool:
    """Closed as unproved, and the person did not get through by another draft; a superseded one closes in silence."""
    came_back = Booking.objects.filter(client__email=message.recipient, state__in=ACTIVE)
    return booking.reason == Reason.EMAIL_NOT_VERIFIED and not came_back.exists()


def _proved(booking: Booking, _message: Message, _now: datetime) -> bool:
    return booking.reason not in (Reason.EMAIL_NOT_VERIFIED, Reason.SUPERSEDED)


def _link_readable(booking: Booking, _message: Message, now: datetime) -> bool:
    return booking.closed_at is None or booking.closed_at + policy.LINK_KEPT_AFTER_CLOSE > now


def _latest_approval(booking: Booking, message: Message, _now: datetime) -> bool:
    approvals = LedgerEntry.objects.filter(booking=booking, intent="approve").order_by("-sequence")
    return approvals.values_list("sequence", flat=True).first() == message.ledger_sequence


def _pay_by_ahead(booking: Booking, _message: Message, now: datetime) -> bool:
    return booking.pay_by is not None and booking.pay_by > now


def _start_ahead(booking: Booking, _message: Message, now: datetime) -> bool:
    return booking.slot_start is not None and booking.slot_start > now


def _end_ahead(booking: Booking, _message: Message, now: datetime) -> bool:
    return booking.slot_end is not None and booking.slot_end > now


def _of_this_slot(booking: Booking, message: Message, _now: datetime) -> bool:
    """Whether the reminder's turn is that of the slot as it is now; a moved session has reminders of its own."""
    before = policy.REMIND_FIRST if message.kind == Notice.SESSION_APPROACHING else policy.REMIND_LAST
    return booking.slot_start is not None and message.not_before == booking.slot_start - before


PROMISES = ("starts_at", "pay_by")


def _promises_the_same(frozen: Facts, facts: Facts) -> bool:
    """Whether a retry would still name the right time; the step that moved it owes a notice of its own."""
    return all(frozen.get(name) == facts.get(name) for name in PROMISES)


# -- what does it say? -------------------------------------------------------------------------------------------------


def _house() -> Facts:
    """In every mail. Help lines beyond 112 follow once the address is proved, with `_known`."""
    return {"practice": settings.PRACTICE_NAME, "site_url": settings.FRONTEND_URL, "support_lines": []}


def _unproved(booking: Booking) -> Facts:
    """Nothing that was typed: the reader may be a stranger to the request."""
    facts: Facts = {"asked_at": wording.day_and_time(booking.created_at)}
    if booking.due_at is not None:
        facts["confirm_by"] = wording.day_and_time(booking.due_at)
    return facts


def _known(booking: Booking) -> Facts:
    """For whoever proved the address."""
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "first_name": _first_name(booking.full_name),
        "support_lines": _support_lines(),
    }


def _kept(booking: Booking) -> Facts:
    if booking.closed_at is None:
        return {}
    return {"readable_until": wording.day_and_time(booking.closed_at + policy.LINK_KEPT_AFTER_CLOSE)}


def _wish(booking: Booking) -> Facts:
    assert booking.due_at is not None
    return {
        "preferred": _preference(booking),
        "is_online": booking.mode == Mode.ONLINE,
        "answer_by": wording.day_and_time(booking.due_at),
    }


def _session(booking: Booking) -> Facts:
    assert booking.psychologist is not None
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    return {
        "psychologist": booking.psychologist.full_name,
        "starts": wording.day_and_time(booking.slot_start),
        "starts_clock": wording.clock_time(booking.slot_start),
        "ends_clock": wording.clock_time(booking.slot_end),
        "starts_at": booking.slot_start.isoformat(),
        "ends_at": booking.slot_end.isoformat(),
        "is_online": booking.mode == Mode.ONLINE,
        "place": booking.meeting_link if booking.mode == Mode.ONLINE else _on_one_line(booking.address),
    }


def _price(booking: Booking) -> Facts:
    """What is to be paid, by when (never the grace), and in which ways."""
    assert booking.amount_paise is not None
    assert booking.pay_by is not None
    pay_url = f"{settings.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    return {
        "amount": wording.rupees(booking.amount_paise),
        "pay_by": wording.day_and_time(booking.pay_by),
        "wants_to_pay_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "pay_url": pay_url if settings.PAYMENT_GATEWAY else "",
    }


def _money(booking: Booking) -> Facts:
    """`paid | sponsored | due_at_practice | nothing`; empty, and so unsaid, where the rows allow no claim."""
    payment = Payment.objects.filter(booking=booking, state=PaymentState.CAPTURED, is_unexpected=False).first()
    if payment is not None:
        return {"money": "paid", "amount": wording.rupees(payment.captured_paise)}
    if booking.is_sponsored:
        return {"money": "sponsored"}
    if not booking.amount_paise:
        return {"money": "nothing"}
    return {
        "money": "due_at_practice" if booking.is_due_at_practice else "",
        "amount": wording.rupees(booking.amount_paise),
    }


def _desk(booking: Booking) -> Facts:
    """For staff: enough to see how much it presses, no name, no word of the visitor's."""
    assert booking.due_at is not None
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "support_lines": _support_lines(),
        "pays_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "is_minor": booking.age is not None and booking.age < policy.ADULT_AGE,
        "adult_age": policy.ADULT_AGE,
        # the day they hope for is here before our own deadline is
        "is_urgent": booking.preferred_date <= booking.due_at.astimezone(policy.zone()).date(),
        "admin_url": f"{settings.PUBLIC_URL}/admin/bookings/booking/{booking.pk}/change/",
    }


@dataclass(frozen=True)
class Rule:
    """A notice is true in these states when all of `also` hold, and then says these things."""

    states: tuple[State, ...]
    also: tuple[Truth, ...]
    says: tuple[Saying, ...]

    def holds(self, booking: Booking, message: Message, now: datetime) -> bool:
        """Whether the notice is true now."""
        return booking.state in self.states and all(is_true(booking, message, now) for is_true in self.also)


_PROVED_STATES = tuple(state for state in State if state != State.DRAFT)
_PAYING = (State.APPROVED, State.PAYMENT_PENDING)

RULES = {
    Notice.DRAFT_SUBMITTED: Rule((State.DRAFT,), (_deadline_ahead,), (_unproved,)),
    Notice.DRAFT_STILL_UNVERIFIED: Rule((State.DRAFT,), (_deadline_ahead,), (_unproved,)),
    Notice.DRAFT_LAPSED: Rule((State.CANCELLED,), (_never_proved,), (_unproved,)),
    Notice.ALREADY_BOOKED: Rule(ACTIVE, (), (_known,)),
    Notice.LINK_REQUESTED: Rule(_PROVED_STATES, (_proved, _link_readable), (_known, _kept)),
    Notice.BOOKING_RECEIVED: Rule((State.PENDING,), (), (_known, _wish)),
    Notice.BOOKING_APPROVED: Rule(_PAYING, (_latest_approval,), (_known, _session, _price)),
    Notice.PAYMENT_STILL_DUE: Rule(
        (State.APPROVED,), (_pay_by_ahead, _latest_approval), (_known, _session, _price)
    ),  # not while an attempt is open: its own end speaks next
    Notice.BOOKING_CONFIRMED: Rule((State.CONFIRMED,), (_end_ahead,), (_known, _session, _money)),
    Notice.SESSION_APPROACHING: Rule((State.CONFIRMED,), (_start_ahead, _of_this_slot), (_known, _session, _money)),
    Notice.SESSION_IMMINENT: Rule((State.CONFIRMED,), (_start_ahead, _of_this_slot), (_known, _session, _money)),
    Notice.STAFF_BOOKING_RECEIVED: Rule((State.PENDING,), (), (_wish, _desk)),
}


# -- details -----------------------------------------------------------------------------------------------------------


_LIKE_A_LINK = re.compile(r"[/:@]|\.\S")


def _first_name(full_name: str) -> str:
    """The word to greet by: the first, or the whole name where that is a title or an initial ("Dr.", "R").

    Empty for what mail programs would turn into a link: whoever typed the name chose its target.
    """
    first, _, rest = " ".join(full_name.split()).partition(" ")
    name = f"{first} {rest}".strip() if first.endswith(".") or len(first) < 2 else first
    return "" if _LIKE_A_LINK.search(name) else name


def _preference(booking: Booking) -> str:
    day = booking.preferred_date
    text = f"{day:%A}, {day.day} {day:%B %Y}"
    if booking.preferred_period != Period.CUSTOM:
        return f"{text}, in the {booking.get_preferred_period_display().lower()}"
    if booking.preferred_time_start is None or booking.preferred_time_end is None:
        return text
    ends_at = datetime.combine(day, booking.preferred_time_end, tzinfo=policy.zone())
    return f"{text}, between {booking.preferred_time_start:%H:%M} and {wording.clock_time(ends_at)}"


def _on_one_line(address: str) -> str:
    return ", ".join(line.strip(" ,") for line in address.splitlines() if line.strip(" ,"))


def _support_lines() -> list[dict[str, str]]:
    """Each line with the digits that a telephone dials."""
    return [
        {"name": name, "number": number, "dial": "".join(sign for sign in number if sign in "+0123456789")}
        for name, number in wording.support_lines()
    ]
