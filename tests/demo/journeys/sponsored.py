"""A session that an employer pays for: counted in its month, and given back when it is called off in time."""

from __future__ import annotations

from typing import Any

from tests.demo.expectations import expect
from tests.demo.journeys import steps
from tests.demo.walk import Walk

CODE = "SAHYADRI-7Q4K"  # of the corporate that `manage.py seed_practice` makes


def sponsored(walk: Walk) -> None:
    """The visitor gives a code, is asked for no payment, and cancels in time."""
    request = steps.requests_a_session(walk, "Lakshmi Narayan", sponsor_code=CODE.lower())
    with walk.step("staff see who would pay") as step:
        found = _sponsorship(walk, request.acknowledgement_id)
        expect("covered this month:", expected=None, came=found["outlook"][0]["not_covered_because"])
        step.note = f"{found['name']}, {found['outlook'][0]['left']} left in {found['outlook'][0]['month']}"
    with walk.step("staff approve") as step:
        booking = walk.staff.approve(request.acknowledgement_id, steps.in_some_days())
        expect("status", expected="CONFIRMED", came=booking["status"])
        step.note = f"{booking['psychologist']['name']}, {booking['slot_start']}, nothing to pay"
    psychologist = steps.psychologist_inbox(walk, booking)
    mail = steps.is_confirmed(walk, request, psychologist)
    with walk.step("the visitor reads what to pay") as step:
        expect("“sponsored” in the mail:", expected=True, came=mail.mentions("your session is sponsored"))
        expect("its name in the mail:", expected=False, came=mail.mentions(found["name"]))
        step.note = "nothing to pay; your session is sponsored"
    _is_counted(walk, request.acknowledgement_id, returned=False)
    link = steps.cancel_link(walk, mail)
    with walk.step("the visitor cancels in time") as step:
        page = walk.pages.open(link)
        page.says("Nothing was paid for this booking.")
        step.note = str(walk.pages.press(page).status)
    with walk.receives(request.inbox, "that it is cancelled", titled="is cancelled"):
        pass
    with walk.receives(psychologist, "that tells the psychologist", titled="is called off"):
        pass
    _is_counted(walk, request.acknowledgement_id, returned=True)
    steps.ends_as(walk, request.acknowledgement_id, "DRAFT", "PENDING", "CONFIRMED", "CANCELLED")


def _is_counted(walk: Walk, acknowledgement_id: str, *, returned: bool) -> None:
    with walk.step("staff look at the sponsor's month") as step:
        found = _sponsorship(walk, acknowledgement_id)
        expect("a month:", expected=True, came=bool(found["month"]))
        expect("given back:", expected=returned, came=bool(found["returned_at"]))
        step.note = f"{found['month']}, {'given back' if returned else 'reserved'}"


def _sponsorship(walk: Walk, acknowledgement_id: str) -> dict[str, Any]:
    return dict(walk.staff.booking(acknowledgement_id)["sponsorship"])
