"""What several journeys have in common."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from icalendar import Calendar

from tests.demo.expectations import expect
from tests.demo.mailbox import Inbox, Mail
from tests.demo.site import form
from tests.demo.walk import MAIL_WITHIN, Walk


@dataclass(frozen=True)
class Request:
    """A request that waits for staff, and who hears of it."""

    acknowledgement_id: str
    token: str
    inbox: Inbox
    staff_inbox: Inbox


@dataclass(frozen=True)
class Session:
    """What staff approved, as the staff API tells it, and its psychologist's inbox."""

    booking: dict[str, Any]
    inbox: Inbox

    @property
    def amount(self) -> str:
        """Rupees."""
        return str(self.booking["amount"])

    @property
    def slot_start(self) -> datetime:
        """When it begins."""
        return datetime.fromisoformat(self.booking["slot_start"])


def new_address(name: str) -> str:
    """Nobody's before, so that the demo can be run again on the same stack."""
    return f"{name}-{secrets.token_hex(4)}@example.org"


def in_some_days() -> datetime:
    """A whole minute that hardly another journey asks for, so far ahead that no reminder of it is due."""
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    return start + timedelta(days=2, minutes=secrets.randbelow(200 * 24 * 60))


def booking_token(walk: Walk, mail: Mail) -> str:
    """The one in the booking link."""
    return mail.query(f"{walk.site.origin}/verify-email?", "token")


def cancel_link(walk: Walk, mail: Mail) -> str:
    """The one that leads to the page with the button."""
    return mail.link(f"{walk.pages.home}/go/cancel/?token=")


# -- the request -------------------------------------------------------------------------------------------------------


def requests_a_session(walk: Walk, name: str, **changes: object) -> Request:
    """The form is sent, the address proved, and staff have heard of it."""
    address = new_address(name.partition(" ")[0].lower())
    inbox = walk.inbox(address)
    token = sends_the_form(walk, inbox, form(address, name, **changes))
    acknowledgement_id = opens_the_link(walk, inbox, token)
    staff_inbox = walk.inbox(walk.desk.inbox, about=acknowledgement_id)
    staff_hear(walk, staff_inbox, acknowledgement_id, name, address)
    return Request(acknowledgement_id, token, inbox, staff_inbox)


def sends_the_form(walk: Walk, inbox: Inbox, content: dict[str, object]) -> str:
    """Returns the token in the mail that follows."""
    with walk.step("the form is sent") as step:
        answer = walk.site.submit_draft(content)
        answer.accepted("message")
        step.note = str(answer)
    with walk.receives(inbox, "with the link that proves the address") as mail:
        return booking_token(walk, mail)


def opens_the_link(walk: Walk, inbox: Inbox, token: str, *, tabs: int = 1) -> str:
    """Returns the acknowledgement id, which the visitor learns here."""
    booking: dict[str, object] = {}
    for tab in ("the link is opened", "the link is opened in a second tab")[:tabs]:
        with walk.step(tab) as step:
            booking = walk.site.verify_email(token).accepted("message", "booking")["booking"]
            expect("status", expected="PENDING", came=booking.get("status"))
            step.note = f"{booking.get('acknowledgement_id')} {booking.get('status')}"
    acknowledgement_id = str(booking["acknowledgement_id"])
    has_arrived(walk, inbox, acknowledgement_id)
    return acknowledgement_id


def has_arrived(walk: Walk, inbox: Inbox, acknowledgement_id: str) -> str:
    """Returns the token of the booking link."""
    with walk.receives(inbox, f"that {acknowledgement_id} has arrived", titled="has reached us") as mail:
        expect("its id in it:", expected=True, came=mail.mentions(acknowledgement_id))
        return booking_token(walk, mail)


def staff_hear(walk: Walk, inbox: Inbox, acknowledgement_id: str, *private: str) -> None:
    """Of the new request; none of the `private` words."""
    with walk.receives(inbox, f"about {acknowledgement_id}", titled="New request") as mail:
        expect("neither name nor address in it:", expected=False, came=any(mail.mentions(word) for word in private))


# -- approval and payment ----------------------------------------------------------------------------------------------


def is_approved(walk: Walk, request: Request, slot_start: datetime) -> Session:
    """By the staff API, with any psychologist who is free, to be paid."""
    with walk.step("staff approve") as step:
        booking = walk.staff.approve(request.acknowledgement_id, slot_start)
        expect("status", expected="APPROVED", came=booking["status"])
        step.note = f"{booking['psychologist']['name']}, {booking['slot_start']}, {booking['amount']} rupees"
    has_link_to_pay(walk, request.inbox, request.acknowledgement_id)
    return Session(booking, psychologist_inbox(walk, booking))


def psychologist_inbox(walk: Walk, booking: dict[str, Any]) -> Inbox:
    """Of the booking's psychologist, what concerns it."""
    address = walk.staff.address_of(booking["psychologist"]["id"])
    return walk.inbox(address, about=booking["acknowledgement_id"])


def has_link_to_pay(walk: Walk, inbox: Inbox, acknowledgement_id: str) -> None:
    """The approval's mail."""
    with walk.receives(inbox, "with the link to pay", titled="please pay by") as mail:
        expect("the id", expected=acknowledgement_id, came=mail.query(f"{walk.site.origin}/payment?", "id"))
        booking_token(walk, mail)


def begins_to_pay(walk: Walk, acknowledgement_id: str) -> str:
    """Returns the payment's reference."""
    with walk.step("the payment begins") as step:
        begun = walk.site.initiate_payment(acknowledgement_id).accepted("message", "payment_reference", "amount")
        step.note = f"{begun['payment_reference']}, {begun['amount']} rupees"
    return str(begun["payment_reference"])


def completes(walk: Walk, reference: str) -> None:
    """The payment."""
    with walk.step("the payment is completed") as step:
        walk.bank.pays(reference)
        answer = walk.site.complete_payment(reference)
        answer.accepted("message")
        step.note = str(answer)


def is_confirmed(walk: Walk, request: Request, psychologist: Inbox, *, titled: str = "is confirmed") -> Mail:
    """The visitor's own page, a mail and the psychologist's mail say so; the visitor's."""
    with walk.step("the booking page is read") as step:
        booking = walk.site.verify_email(request.token).accepted("booking")["booking"]
        expect("status", expected="CONFIRMED", came=booking["status"])
        slot_start = datetime.fromisoformat(booking["approved_slot_start"])
        expect("offset of approved_slot_start", expected=timedelta(0), came=slot_start.utcoffset())
        expect("add_to_calendar_url:", expected=True, came=bool(booking.get("add_to_calendar_url")))
        step.note = f"CONFIRMED, {booking['approved_slot_start']}"
    with walk.receives(request.inbox, "that confirms", titled=titled) as mail:
        expect("start in its .ics", expected=slot_start.replace(microsecond=0), came=_calendar_start(mail))
    with walk.receives(psychologist, "that tells the psychologist", titled="is confirmed"):
        pass
    return mail


def is_booked_and_paid(walk: Walk, request: Request, slot_start: datetime) -> tuple[Session, str, Mail]:
    """From the approval to the confirmation: the session, the payment's reference and the confirming mail."""
    session = is_approved(walk, request, slot_start)
    reference = begins_to_pay(walk, request.acknowledgement_id)
    completes(walk, reference)
    return session, reference, is_confirmed(walk, request, session.inbox)


# -- the end -----------------------------------------------------------------------------------------------------------


def ends_as(walk: Walk, acknowledgement_id: str, *life: str, within: float = MAIL_WITHIN) -> None:
    """The status page shows this timeline, and the last of its states."""
    with walk.step("the status page is read") as step:
        status = walk.reaches(acknowledgement_id, life[-1], within=within)
        expect("the timeline", expected=list(life), came=status["timeline"])
        step.note = " → ".join(life)


def _calendar_start(mail: Mail) -> datetime | None:
    events = Calendar.from_ical(mail.calendar).walk("VEVENT") if mail.calendar else []
    return events[0].decoded("dtstart").astimezone(UTC) if len(events) == 1 else None


def as_read(amount: str) -> str:
    """As people read it: `1,500.00`."""
    return f"{Decimal(amount):,.2f}"
