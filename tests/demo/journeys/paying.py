"""Payments that do not go straight: declined, late, and too late."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.demo.expectations import expect
from tests.demo.journeys import steps
from tests.demo.site import form
from tests.demo.walk import MAIL_WITHIN, Walk

BEFORE_PAY_BY = timedelta(seconds=6)  # less than an attempt lives, so that it ends with the time to pay
STILL_DUE_WITHIN = 15 + MAIL_WITHIN  # half of PAY_WITHIN
TIMED_OUT_WITHIN = 15 + MAIL_WITHIN  # a bank that is silent is asked for 5 s more
UNPAID = ("DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "PAYMENT_FAILED")


def declined_at_first(walk: Walk) -> None:
    """The bank declines the first attempt; the second one pays. A gateway's own page takes another try itself."""
    request = steps.requests_a_session(walk, "Divya Pillai")
    session = steps.is_approved(walk, request, steps.in_some_days())
    first = steps.begins_to_pay(walk, request.acknowledgement_id)
    with walk.step("the bank declines") as step:
        walk.bank.declines(first)
        step.note = walk.site.complete_payment(first).refused(409)
    if not walk.bank.has_pages:
        with walk.receives(request.inbox, "that it failed", titled="did not go through") as mail:
            steps.booking_token(walk, mail)
    second = steps.begins_to_pay(walk, request.acknowledgement_id)
    with walk.step("it is the same payment" if walk.bank.has_pages else "it is another payment"):
        expect("another reference:", expected=not walk.bank.has_pages, came=first != second)
    steps.completes(walk, second)
    steps.is_confirmed(walk, request, session.inbox)
    again = () if walk.bank.has_pages else ("APPROVED", "PAYMENT_PENDING")
    steps.ends_as(
        walk, request.acknowledgement_id, "DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", *again, "CONFIRMED"
    )


def paid_late(walk: Walk) -> None:
    """The time to pay passes with an attempt open; the money comes afterwards, and the time is still free."""
    request = steps.requests_a_session(walk, "Nikhil Joshi", gender="MALE")
    session, reference = _times_out(walk, request)
    with walk.step("the visitor pays after all") as step:
        walk.bank.captures(reference)
        walk.reaches(request.acknowledgement_id, "CONFIRMED", within=MAIL_WITHIN)
        step.note = "CONFIRMED"
    steps.is_confirmed(walk, request, session.inbox, titled="is confirmed after all")
    steps.ends_as(walk, request.acknowledgement_id, *UNPAID, "CONFIRMED")


def paid_too_late(walk: Walk) -> None:
    """The same, but the time went to somebody else: the money goes back by itself."""
    request = steps.requests_a_session(walk, "Sunita Gupta")
    session, reference = _times_out(walk, request)
    _somebody_else_gets(walk, session)
    with walk.step("the visitor pays after all"):
        walk.bank.captures(reference)
    with walk.receives(request.inbox, "that the money goes back", titled="goes back to you") as mail:
        expect(f"{session.amount} in it:", expected=True, came=mail.mentions(steps.as_read(session.amount)))
    with walk.receives(request.staff_inbox, "about the unexpected money", titled="Unexpected payment"):
        pass
    with walk.receives(request.inbox, "that the refund is made", titled="has been given back") as mail:
        expect(f"{session.amount} in it:", expected=True, came=mail.mentions(steps.as_read(session.amount)))
    steps.ends_as(walk, request.acknowledgement_id, *UNPAID)


def _times_out(walk: Walk, request: steps.Request) -> tuple[steps.Session, str]:
    """Returns the session, no longer held, and the payment's reference."""
    session = steps.is_approved(walk, request, steps.in_some_days())
    with walk.receives(request.inbox, "that reminds", titled="payment is due by", within=STILL_DUE_WITHIN):
        pass
    pay_by = datetime.fromisoformat(session.booking["pay_by"])
    walk.waits_until(pay_by - BEFORE_PAY_BY, f"{BEFORE_PAY_BY.seconds} s are left to pay")
    reference = steps.begins_to_pay(walk, request.acknowledgement_id)
    walk.bank.begins(reference)
    titled = "the time is no longer held"
    with walk.receives(request.inbox, "that the time is free again", titled=titled, within=TIMED_OUT_WITHIN):
        pass
    steps.ends_as(walk, request.acknowledgement_id, *UNPAID)
    return session, reference


def _somebody_else_gets(walk: Walk, session: steps.Session) -> None:
    """At the practice, so that nothing is to be paid first; its mail is another journey's business."""
    address = steps.new_address("george")
    with walk.step("staff give the time to somebody else") as step:
        content = form(address, "George Mathew", gender="MALE", mode="OFFLINE", payment_mode="OFFLINE")
        other = walk.staff.create(content)["acknowledgement_id"]
        booking = walk.staff.approve_with(other, session.slot_start, session.booking["psychologist"]["id"])
        expect("status", expected="CONFIRMED", came=booking["status"])
        step.note = f"{other} CONFIRMED, {booking['slot_start']}"
