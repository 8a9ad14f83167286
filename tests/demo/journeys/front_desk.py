"""What staff do, or fail to do: take money, decline, leave unanswered, and type in a caller's request."""

from __future__ import annotations

import re

from tests.demo.expectations import Unexpected, expect
from tests.demo.journeys import steps
from tests.demo.pages import Page
from tests.demo.site import form
from tests.demo.walk import MAIL_WITHIN, Walk

NOTE = "We do not work with couples at present. The family centre in Pune does."
UNANSWERED_WITHIN = 36 + MAIL_WITHIN  # ANSWER_WITHIN of the fast profile


def paid_at_the_desk(walk: Walk) -> None:
    """An online session, paid in person: staff record it."""
    request = steps.requests_a_session(walk, "Leela Thomas", payment_mode="OFFLINE")
    session = steps.is_approved(walk, request, steps.in_some_days())
    with walk.step("staff take the money") as step:
        booking = walk.staff.take_money(request.acknowledgement_id)
        step.note = f"{booking['status']}, {session.amount} rupees"
    steps.is_confirmed(walk, request, session.inbox)
    with walk.step("paying online is refused") as step:
        step.note = walk.site.initiate_payment(request.acknowledgement_id).refused(409)
    steps.ends_as(walk, request.acknowledgement_id, "DRAFT", "PENDING", "APPROVED", "CONFIRMED")


def rejected(walk: Walk) -> None:
    """Staff decline, and add a note."""
    request = steps.requests_a_session(walk, "Arjun Desai", gender="MALE")
    _rejects(walk, request)
    steps.ends_as(walk, request.acknowledgement_id, "DRAFT", "PENDING", "REJECTED")


def unanswered(walk: Walk) -> None:
    """Nobody answers; the visitor asks again by one click, and then staff decline."""
    request = steps.requests_a_session(walk, "Kiran Patil", gender="OTHER")
    within = UNANSWERED_WITHIN
    for titled in ("Still unanswered", "Overdue: nobody has answered"):
        with walk.receives(request.staff_inbox, "that staff are late", titled=titled, within=within):
            pass
    with walk.receives(request.inbox, "that we are late", titled="We are late", within=within):
        pass
    with walk.receives(request.inbox, "that apologises", titled="left unanswered", within=within) as mail:
        link = mail.link(f"{walk.pages.home}/go/again/?token=")
    steps.ends_as(walk, request.acknowledgement_id, "DRAFT", "PENDING", "CANCELLED")
    again = _asks_again(walk, request, link)
    _rejects(walk, again)
    steps.ends_as(walk, again.acknowledgement_id, "PENDING", "REJECTED")


def created_for_a_caller(walk: Walk) -> None:
    """Staff type in what a caller says; nothing is to be proved, and it is paid at the practice."""
    name, address = "Rukmini Bhat", steps.new_address("rukmini")
    inbox = walk.inbox(address)
    with walk.step("staff type in the request") as step:
        made = walk.staff.create(form(address, name, mode="OFFLINE", payment_mode="OFFLINE"))
        acknowledgement_id = str(made["acknowledgement_id"])
        expect("status", expected="PENDING", came=made["status"])
        step.note = f"{acknowledgement_id} PENDING, {made['origin']}"
    token = steps.has_arrived(walk, inbox, acknowledgement_id)
    staff_inbox = walk.inbox(walk.desk.inbox, about=acknowledgement_id)
    steps.staff_hear(walk, staff_inbox, acknowledgement_id, name, address)
    with walk.step("staff approve") as step:
        booking = walk.staff.approve(acknowledgement_id, steps.in_some_days())
        expect("status", expected="CONFIRMED", came=booking["status"])
        step.note = f"{booking['psychologist']['name']}, {booking['slot_start']}, to be paid at the practice"
    request = steps.Request(acknowledgement_id, token, inbox, staff_inbox)
    mail = steps.is_confirmed(walk, request, steps.psychologist_inbox(walk, booking))
    with walk.step("the caller reads what to pay") as step:
        expect(f"{booking['amount']} in the mail:", expected=True, came=mail.mentions(steps.as_read(booking["amount"])))
        step.note = f"{booking['amount']} rupees, due at the practice"
    steps.ends_as(walk, acknowledgement_id, "PENDING", "CONFIRMED")


def _rejects(walk: Walk, request: steps.Request) -> None:
    with walk.step("staff decline") as step:
        step.note = str(walk.staff.reject(request.acknowledgement_id, NOTE)["status"])
    with walk.receives(request.inbox, "that declines", titled="we cannot take it on") as mail:
        expect("the note in it:", expected=True, came=NOTE in " ".join(mail.text.split()))


def _asks_again(walk: Walk, request: steps.Request, link: str) -> steps.Request:
    with walk.step("the link is opened") as step:
        page = walk.pages.open(link)
        page.says(request.acknowledgement_id)
        step.note = "“Send your request again?”"
    with walk.step("the button is pressed") as step:
        step.note = acknowledgement_id = _new_id(walk.pages.press(page))
        expect("another id:", expected=True, came=acknowledgement_id != request.acknowledgement_id)
    with walk.step("the button is pressed again"):
        expect("the same id", expected=acknowledgement_id, came=_new_id(walk.pages.press(page)))
    token = steps.has_arrived(walk, request.inbox, acknowledgement_id)
    staff_inbox = walk.inbox(walk.desk.inbox, about=acknowledgement_id)
    steps.staff_hear(walk, staff_inbox, acknowledgement_id, request.inbox.owner)
    return steps.Request(acknowledgement_id, token, request.inbox, staff_inbox)


def _new_id(page: Page) -> str:
    expect("status", expected=200, came=page.status)
    found = re.search(r"Your new booking id (MS-\w{6})", page.text)
    if not found:
        raise Unexpected("a new id on the page", f"it says “{page.text}”")
    return found[1]
