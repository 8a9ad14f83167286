"""The journeys of the demo; a further one is a function here and its line in JOURNEYS."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.demo.mailbox import Inbox, Mail
from tests.demo.site import form
from tests.demo.unexpected import expect
from tests.demo.walk import MAIL_WITHIN, Walk

SLOT_STARTS_IN = 20  # seconds after approval: time to pay before the first reminder is due, 6 s ahead of the slot
REMINDED_WITHIN = SLOT_STARTS_IN + MAIL_WITHIN
COMPLETED_WITHIN = 40.0  # seconds after the last reminder: 3 until the slot, 5 of session, 2 more, and a busy machine
LIFE = ["DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED", "COMPLETED"]


def paid_session(walk: Walk) -> None:
    """A request is proved, approved, paid, reminded of, and its session takes place."""
    name, address = "Asha Rao", _new_address("asha")
    inbox = walk.inbox(address)
    token = _sends_the_form(walk, inbox, form(address, name))
    acknowledgement_id = _opens_the_link(walk, inbox, token)
    with walk.receives(walk.inbox(walk.desk.inbox, about=acknowledgement_id), f"about {acknowledgement_id}") as mail:
        expect("neither name nor address in it:", expected=False, came=mail.mentions(name) or mail.mentions(address))
    _is_approved(walk, inbox, acknowledgement_id)
    _pays(walk, acknowledgement_id)
    slot_start = _is_confirmed(walk, inbox, token)
    for reminder in ("first", "last"):
        with walk.receives(inbox, f"with the {reminder} reminder", within=REMINDED_WITHIN) as mail:
            expect("sent before the session:", expected=True, came=mail.sent_at < slot_start)
            expect("no .ics:", expected=None, came=mail.calendar)
    with walk.step("the session has taken place") as step:
        status = walk.reaches(acknowledgement_id, "COMPLETED", within=COMPLETED_WITHIN)
        expect("the timeline", expected=LIFE, came=status["timeline"])
        step.note = " → ".join(LIFE)


def lapsed_draft(walk: Walk) -> None:
    """A request whose address is never proved is reminded of once, lapses, and leaves nothing behind."""
    address = _new_address("ravi")
    inbox = walk.inbox(address)
    hours = {"preferred_period": "CUSTOM", "preferred_time_start": "16:00", "preferred_time_end": "18:30"}
    first = _sends_the_form(walk, inbox, form(address, "Ravi Menon", gender="MALE", **hours))
    with walk.step("staff look up the draft") as step:
        step.note = acknowledgement_id = walk.desk.draft_id(address)
    walk.inbox(walk.desk.inbox, about=acknowledgement_id)  # staff must not hear of it
    _is_unknown(walk, acknowledgement_id)

    with walk.receives(inbox, "that reminds") as mail:
        reminded = _booking_token(walk, mail)
    with walk.receives(inbox, "that the request lapsed") as mail:
        expect("no link to it:", expected=False, came=mail.mentions("token="))
    for which, token in (("first", first), ("reminder's", reminded)):
        with walk.step(f"the {which} link is opened") as step:
            step.note = walk.site.verify_email(token).refused(410)
    _is_unknown(walk, acknowledgement_id)


JOURNEYS: dict[str, Callable[[Walk], None]] = {
    "paid": paid_session,
    "lapsed": lapsed_draft,
}


# -- parts of a journey ------------------------------------------------------------------------------------------------


def _new_address(name: str) -> str:
    """Nobody's before, so that the demo can be run again on the same stack."""
    return f"{name}-{secrets.token_hex(4)}@example.org"


def _booking_token(walk: Walk, mail: Mail) -> str:
    return mail.query(f"{walk.site.origin}/verify-email?", "token")


def _sends_the_form(walk: Walk, inbox: Inbox, content: dict[str, object]) -> str:
    """Returns the token in the mail that follows."""
    with walk.step("the form is sent") as step:
        answer = walk.site.submit_draft(content)
        answer.accepted("message")
        step.note = str(answer)
    with walk.receives(inbox, "with the link that proves the address") as mail:
        return _booking_token(walk, mail)


def _opens_the_link(walk: Walk, inbox: Inbox, token: str) -> str:
    """Twice, as from two tabs. Returns the acknowledgement id, which the visitor learns here."""
    booking: dict[str, object] = {}
    for tab in ("the link is opened", "the link is opened in a second tab"):
        with walk.step(tab) as step:
            booking = walk.site.verify_email(token).accepted("message", "booking")["booking"]
            expect("status", expected="PENDING", came=booking.get("status"))
            step.note = f"{booking.get('acknowledgement_id')} {booking.get('status')}"
    acknowledgement_id = str(booking["acknowledgement_id"])
    with walk.receives(inbox, f"that {acknowledgement_id} has arrived") as mail:
        expect("its id in it:", expected=True, came=mail.mentions(acknowledgement_id))
    return acknowledgement_id


def _is_approved(walk: Walk, inbox: Inbox, acknowledgement_id: str) -> None:
    with walk.step("staff approve") as step:
        step.note = walk.desk.approve(acknowledgement_id, starts_in=SLOT_STARTS_IN)
    with walk.receives(inbox, "with the link to pay") as mail:
        expect("the id", expected=acknowledgement_id, came=mail.query(f"{walk.site.origin}/payment?", "id"))
        _booking_token(walk, mail)


def _pays(walk: Walk, acknowledgement_id: str) -> None:
    with walk.step("the payment begins") as step:
        begun = walk.site.initiate_payment(acknowledgement_id).accepted("message", "payment_reference", "amount")
        step.note = f"{begun['payment_reference']}, {begun['amount']} rupees"
    with walk.step("the payment begins again") as step:
        again = walk.site.initiate_payment(acknowledgement_id).accepted("payment_reference")
        expect("the same reference", expected=begun["payment_reference"], came=again["payment_reference"])
        step.note = "the same reference"
    with walk.step("the payment is completed") as step:
        answer = walk.site.complete_payment(begun["payment_reference"])
        answer.accepted("message")
        step.note = str(answer)


def _is_confirmed(walk: Walk, inbox: Inbox, token: str) -> datetime:
    """The visitor's own page and a mail say so; returns when the session starts."""
    with walk.step("the booking page is read") as step:
        booking = walk.site.verify_email(token).accepted("booking")["booking"]
        expect("status", expected="CONFIRMED", came=booking["status"])
        slot_start = datetime.fromisoformat(booking["approved_slot_start"])
        expect("offset of approved_slot_start", expected=timedelta(0), came=slot_start.utcoffset())
        expect("add_to_calendar_url:", expected=True, came=bool(booking.get("add_to_calendar_url")))
        step.note = f"CONFIRMED, {booking['approved_slot_start']}"
    with walk.receives(inbox, "that confirms") as mail:
        expect("start in its .ics", expected=slot_start.replace(microsecond=0), came=_calendar_start(mail))
    return slot_start


def _is_unknown(walk: Walk, acknowledgement_id: str) -> None:
    with walk.step(f"the status of {acknowledgement_id} is asked") as step:
        step.note = walk.site.check_status(acknowledgement_id).refused(404)


def _calendar_start(mail: Mail) -> datetime | None:
    found = re.search(r"^DTSTART:(\d{8}T\d{6})Z", mail.calendar or "", re.MULTILINE)
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None
