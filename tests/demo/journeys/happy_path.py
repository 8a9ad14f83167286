"""The two ways without a turn: a session that takes place, and a draft that is never proved."""

from __future__ import annotations

from datetime import datetime

from tests.demo.commands import PSYCHOLOGISTS
from tests.demo.expectations import expect
from tests.demo.journeys import steps
from tests.demo.site import form
from tests.demo.walk import MAIL_WITHIN, Walk

SLOT_STARTS_IN = 20  # seconds after approval: time to pay before the first reminder is due, 6 s ahead of the slot
REMINDED_WITHIN = SLOT_STARTS_IN + MAIL_WITHIN
COMPLETED_WITHIN = 40.0  # seconds after the last reminder: 3 until the slot, 5 of session, 2 more, and a busy machine
LIFE = ("DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED", "COMPLETED")


def paid_session(walk: Walk) -> None:
    """A request is proved, approved, paid, reminded of, and its session takes place."""
    name, address = "Asha Rao", steps.new_address("asha")
    inbox = walk.inbox(address)
    token = steps.sends_the_form(walk, inbox, form(address, name))
    acknowledgement_id = steps.opens_the_link(walk, inbox, token, tabs=2)
    staff_inbox = walk.inbox(walk.desk.inbox, about=acknowledgement_id)
    steps.staff_hear(walk, staff_inbox, acknowledgement_id, name, address)
    request = steps.Request(acknowledgement_id, token, inbox, staff_inbox)
    with walk.step("staff approve") as step:
        step.note = approved = walk.desk.approve(acknowledgement_id, starts_in=SLOT_STARTS_IN)
    psychologist = next(address for name, address in PSYCHOLOGISTS.items() if name in approved)
    steps.has_link_to_pay(walk, inbox, acknowledgement_id)
    _pays(walk, acknowledgement_id)
    steps.is_confirmed(walk, request, walk.inbox(psychologist, about=acknowledgement_id))
    slot_start = _slot_start(walk, token)
    for reminder in ("first", "last"):
        with walk.receives(inbox, f"with the {reminder} reminder", within=REMINDED_WITHIN) as mail:
            expect("sent before the session:", expected=True, came=mail.sent_at < slot_start)
            expect("no .ics:", expected=None, came=mail.calendar)
    steps.ends_as(walk, acknowledgement_id, *LIFE, within=COMPLETED_WITHIN)


def lapsed_draft(walk: Walk) -> None:
    """A request whose address is never proved is reminded of once, lapses, and leaves nothing behind."""
    address = steps.new_address("ravi")
    inbox = walk.inbox(address)
    hours = {"preferred_period": "CUSTOM", "preferred_time_start": "16:00", "preferred_time_end": "18:30"}
    first = steps.sends_the_form(walk, inbox, form(address, "Ravi Menon", gender="MALE", **hours))
    with walk.step("staff look up the draft") as step:
        step.note = acknowledgement_id = walk.desk.draft_id(address)
    walk.inbox(walk.desk.inbox, about=acknowledgement_id)  # staff must not hear of it
    _is_unknown(walk, acknowledgement_id)

    with walk.receives(inbox, "that reminds") as mail:
        reminded = steps.booking_token(walk, mail)
    with walk.receives(inbox, "that the request lapsed") as mail:
        expect("no link to it:", expected=False, came=mail.mentions("token="))
    for which, token in (("first", first), ("reminder's", reminded)):
        with walk.step(f"the {which} link is opened") as step:
            step.note = walk.site.verify_email(token).refused(410)
    _is_unknown(walk, acknowledgement_id)


def _pays(walk: Walk, acknowledgement_id: str) -> None:
    reference = steps.begins_to_pay(walk, acknowledgement_id)
    with walk.step("the payment begins again") as step:
        again = walk.site.initiate_payment(acknowledgement_id).accepted("payment_reference")
        expect("the same reference", expected=reference, came=again["payment_reference"])
        step.note = "the same reference"
    steps.completes(walk, reference)


def _slot_start(walk: Walk, token: str) -> datetime:
    with walk.step("the time of the session is read") as step:
        booking = walk.site.verify_email(token).accepted("booking")["booking"]
        step.note = booking["approved_slot_start"]
    return datetime.fromisoformat(booking["approved_slot_start"])


def _is_unknown(walk: Walk, acknowledgement_id: str) -> None:
    with walk.step(f"the status of {acknowledgement_id} is asked") as step:
        step.note = walk.site.check_status(acknowledgement_id).refused(404)
