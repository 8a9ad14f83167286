"""Times that the visitor chooses: one that a rejection offered, and another one for a session that is booked."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.demo.expectations import Unexpected, expect
from tests.demo.journeys import steps
from tests.demo.mailbox import Mail
from tests.demo.pages import Page
from tests.demo.site import form
from tests.demo.walk import Walk

ALTERNATIVES = 3


def alternative_taken(walk: Walk) -> None:
    """Staff decline and offer three times; the first goes to somebody else, the second is taken and paid."""
    request = steps.requests_a_session(walk, "Anjali Verma")
    with walk.step("staff decline, and offer other times") as step:
        offers = walk.staff.offer([steps.in_some_days() for _ in range(ALTERNATIVES)])
        step.note = str(walk.staff.reject(request.acknowledgement_id, "", alternatives=offers)["status"])
    with walk.receives(request.inbox, "with the times", titled="other times for you") as mail:
        first, second, third = _links(walk, mail)
    _somebody_else_gets(walk, offers[0])
    with walk.step("the first time is looked at") as step:
        walk.pages.open(first).says("This time is not free any more")
        step.note = "“This time is not free any more”"
    with walk.step("the second one is taken") as step:
        step.note = acknowledgement_id = _taken(walk.pages.press(walk.pages.open(second)))
    for which, link in (("second", second), ("third", third)):
        with walk.step(f"the {which} link is opened again"):
            expect("the same booking", expected=acknowledgement_id, came=_taken(walk.pages.open(link)))
    with walk.receives(request.inbox, "with the link to pay", titled="please pay by") as mail:
        token = steps.booking_token(walk, mail)
    booking = walk.staff.booking(acknowledgement_id)
    steps.completes(walk, steps.begins_to_pay(walk, acknowledgement_id))
    taken = steps.Request(acknowledgement_id, token, request.inbox, request.staff_inbox)
    steps.is_confirmed(walk, taken, steps.psychologist_inbox(walk, booking))
    steps.ends_as(walk, acknowledgement_id, "APPROVED", "PAYMENT_PENDING", "CONFIRMED")
    steps.ends_as(walk, request.acknowledgement_id, "DRAFT", "PENDING", "REJECTED")


def moved_by_the_visitor(walk: Walk) -> None:
    """A paid session gets another time by the link in its confirmation; both sides hear, and the link is used up."""
    request = steps.requests_a_session(walk, "Rohini Kulkarni")
    with walk.step("a free slot is looked up") as step:
        slot = secrets.choice(walk.site.free_slots(datetime.now(UTC) + timedelta(days=4)))
        step.note = str(slot["start"])
    with walk.step("staff approve") as step:
        start = datetime.fromisoformat(slot["start"])
        booking = walk.staff.approve_with(request.acknowledgement_id, start, slot["psychologist"])
        step.note = f"{booking['psychologist']['name']}, {booking['slot_start']}"
    steps.has_link_to_pay(walk, request.inbox, request.acknowledgement_id)
    steps.completes(walk, steps.begins_to_pay(walk, request.acknowledgement_id))
    psychologist = steps.psychologist_inbox(walk, booking)
    link = steps.is_confirmed(walk, request, psychologist).link(f"{walk.pages.home}/go/reschedule/?token=")
    with walk.step("another time is chosen") as step:
        page = walk.pages.open(link)
        page.says("you can choose another time 2 times")
        page, chosen = _turned_to(walk, link, slot["psychologist"])
        walk.pages.press(page, slot=chosen).says("This is the time of your session now")
        step.note = chosen.partition("@")[2]
    with walk.receives(request.inbox, "that it moved", titled="has a new time") as mail:
        expect("As you asked:", expected=True, came=mail.mentions("As you asked"))
        fresh = mail.link(f"{walk.pages.home}/go/reschedule/?token=")
    with walk.receives(psychologist, "that tells the psychologist", titled="has a new time"):
        pass
    with walk.step("the old link is opened again, then the new one"):
        walk.pages.open(link).says("This is the time of your session now")
        walk.pages.open(fresh).says("you can choose another time once")
    _ledger_says(walk, request.acknowledgement_id, slot["start"], chosen.partition("@")[2])
    life = ("DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED")
    steps.ends_as(walk, request.acknowledgement_id, *life)


def _links(walk: Walk, mail: Mail) -> list[str]:
    found = re.findall(rf"{re.escape(walk.pages.home)}/go/alternative/\?token=\S+", mail.text)
    expect("links", expected=ALTERNATIVES, came=len(found))
    return found


def _taken(page: Page) -> str:
    expect("status", expected=200, came=page.status)
    found = re.search(r"This time is yours.*Your booking id (MS-\w{6})", page.text)
    if not found:
        raise Unexpected("that the time is the visitor's", f"the page says “{page.text}”")
    return found[1]


def _somebody_else_gets(walk: Walk, offer: dict[str, Any]) -> None:
    """At the practice, so that nothing is to be paid first; its mail is another journey's business."""
    with walk.step("staff give the first time to somebody else") as step:
        content = form(steps.new_address("tara"), "Tara Singh", mode="OFFLINE", payment_mode="OFFLINE")
        other = walk.staff.create(content)["acknowledgement_id"]
        start = datetime.fromisoformat(offer["slot_start"])
        step.note = str(walk.staff.approve_with(other, start, offer["psychologist_id"])["status"])


def _turned_to(walk: Walk, link: str, psychologist: int) -> tuple[Page, str]:
    """The first day on which this psychologist has a time: it need not be the one that the page opens at."""
    today = datetime.now(UTC).date()
    for days in range(21):
        page = walk.pages.open(f"{link}&day={today + timedelta(days=days)}")
        for value in page.choices:
            if value.startswith(f"{psychologist}@"):
                return page, value
    raise Unexpected("a time of the same psychologist within three weeks", "the page has none")


def _ledger_says(walk: Walk, acknowledgement_id: str, before: str, after: str) -> None:
    with walk.step("staff look at the ledger") as step:
        rows = walk.staff.booking(acknowledgement_id)["ledger"]
        (details,) = [row["details"] for row in rows if row["intent"] == "reschedule" and row["actor"] == "visitor"]
        came = [datetime.fromisoformat(details[name]) for name in ("from", "to")]
        expect("from and to", expected=[datetime.fromisoformat(before), datetime.fromisoformat(after)], came=came)
        step.note = f"{details['from']} → {details['to']}"
