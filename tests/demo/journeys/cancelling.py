"""A confirmed session called off by its visitor: in time, with or without the money back, and at short notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.demo.expectations import expect
from tests.demo.journeys import steps
from tests.demo.pages import Page
from tests.demo.walk import Walk

LIFE = ("DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED", "CANCELLED")
REFUND_TAKES = 6.0  # seconds: else the mail that promises the money is overtaken by the one that says it is made
NOTICE = timedelta(seconds=12)  # CANCEL_NOTICE of the fast profile
SLOT_STARTS_IN = timedelta(seconds=26)  # time to pay, and to see that it is too late for the site's button


def cancelled_with_refund(walk: Walk) -> None:
    """In time, where visitors get everything back."""
    request = steps.requests_a_session(walk, "Meera Nair")
    session, reference, _mail = steps.is_booked_and_paid(walk, request, steps.in_some_days())
    walk.bank.takes_its_time(reference, REFUND_TAKES)
    _cancels_by_mail(walk, request, session, comes_back=f"₹{steps.as_read(session.amount)}")
    for titled in ("comes back to you", "has been given back"):
        with walk.receives(request.inbox, "about the refund", titled=titled) as mail:
            expect(f"{session.amount} in it:", expected=True, came=mail.mentions(steps.as_read(session.amount)))
    _refunds_are(walk, request, session.amount)


def cancelled_without_refund(walk: Walk) -> None:
    """In time, where visitors get nothing back; the page says so before the button."""
    request = steps.requests_a_session(walk, "Farah Khan")
    session, _reference, _mail = steps.is_booked_and_paid(walk, request, steps.in_some_days())
    nothing = f"Nothing of the ₹{steps.as_read(session.amount)} that you paid"
    _cancels_by_mail(walk, request, session, comes_back=nothing)
    _refunds_are(walk, request)


def cancelled_at_short_notice(walk: Walk) -> None:
    """Too late for the site's button, by the link in the confirmation, which gives nothing back."""
    request = steps.requests_a_session(walk, "Imran Shaikh", gender="MALE")
    slot_start = datetime.now(UTC) + SLOT_STARTS_IN
    session, _reference, mail = steps.is_booked_and_paid(walk, request, slot_start)
    link = steps.cancel_link(walk, mail)
    walk.waits_until(session.slot_start - NOTICE, f"{NOTICE.seconds} s are left until the session")
    with walk.step("cancelling is asked for") as step:
        step.note = walk.site.request_cancellation(request.acknowledgement_id).refused(409)
    page = _opens(walk, link, f"Nothing of the ₹{steps.as_read(session.amount)} that you paid")
    _presses(walk, page, link)
    _is_cancelled(walk, request, session)
    _refunds_are(walk, request)


def _cancels_by_mail(walk: Walk, request: steps.Request, session: steps.Session, *, comes_back: str) -> None:
    with walk.step("cancelling is asked for") as step:
        answer = walk.site.request_cancellation(request.acknowledgement_id)
        expect("status", expected=202, came=answer.status)
        expect("“email” in the message:", expected=True, came="email" in answer.accepted("message")["message"])
        step.note = str(answer)
    with walk.receives(request.inbox, "with the link that cancels", titled="One step left") as mail:
        link = steps.cancel_link(walk, mail)
    with walk.receives(request.staff_inbox, "that the visitor asked to cancel", titled="not proved yet"):
        pass
    with walk.step("the site's page asks before the button") as step:
        step.note = walk.site.verify_cancellation(_token(link)).refused(409)
    _presses(walk, _opens(walk, link, comes_back), link)
    _is_cancelled(walk, request, session)


def _opens(walk: Walk, link: str, comes_back: str) -> Page:
    with walk.step("the link is opened") as step:
        page = walk.pages.open(link)
        page.says(f"Comes back to you {comes_back}")
        step.note = f"“Comes back to you: {comes_back}”"
    return page


def _presses(walk: Walk, page: Page, link: str) -> None:
    with walk.step("the button is pressed") as step:
        done = walk.pages.press(page)
        expect("status", expected=303, came=done.status)
        expected = f"{walk.site.origin}/verify-cancellation?token={_token(link)}"
        expect("Location", expected=expected, came=done.location)
        step.note = f"303 to {walk.site.origin}/verify-cancellation"
    with walk.step("the site's page asks what became of it") as step:
        answer = walk.site.verify_cancellation(_token(link))
        expect("status", expected="CANCELLED", came=answer.accepted("message", "status")["status"])
        step.note = str(answer)


def _is_cancelled(walk: Walk, request: steps.Request, session: steps.Session) -> None:
    with walk.receives(request.inbox, "that it is cancelled", titled="is cancelled"):
        pass
    with walk.receives(session.inbox, "that tells the psychologist", titled="is called off"):
        pass
    steps.ends_as(walk, request.acknowledgement_id, *LIFE)


def _refunds_are(walk: Walk, request: steps.Request, *amounts: str) -> None:
    with walk.step("staff look at the money") as step:
        payments = walk.staff.booking(request.acknowledgement_id)["payments"]
        refunds = [refund for payment in payments for refund in payment["refunds"]]
        expect("given back", expected=list(amounts), came=[refund["amount"] for refund in refunds])
        expect("all of it made:", expected=True, came=all(refund["state"] == "done" for refund in refunds))
        step.note = ", ".join(f"{amount} rupees given back" for amount in amounts) or "nothing given back"


def _token(link: str) -> str:
    return link.partition("token=")[2]
