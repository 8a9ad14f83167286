"""A mail that did not arrive reaches the desk, which tells it by telephone until the address is corrected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.lifecycle import erasure
from backend.bookings.lifecycle.deliveries import record_delivery
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.outbox.deliveries import DeliveryReport
from backend.outbox.models import ClosedMailbox, Delivery, Message, MessageState
from backend.outbox.outlet_models import Outlet
from tests.support import erasures, scenarios
from tests.support.admin_site import action_url, page_url, session_form
from tests.support.mail_sink import Sink
from workers import mail

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sink")]


def report(booking: Booking, notice: Notice, what: Delivery, *, now: datetime, closes: bool = True) -> bool:
    """On the first mail of that kind."""
    uuid = Message.objects.filter(booking_id=booking.pk, kind=notice).earliest("pk").uuid
    return record_delivery(DeliveryReport("", uuid, what, closes_mailbox=closes), now=now)


def bounced(now: datetime, what: Delivery = Delivery.BOUNCED) -> Booking:
    """Whose approval came back."""
    booking = scenarios.approved(now=now)
    mail.drain()
    assert report(booking, Notice.BOOKING_APPROVED, what, now=now)
    return booking


def untold(desk: Browser) -> list[tuple[str, str, tuple[str, ...]]]:
    sections = {section.name: section for section in desk.get("/admin/").context["sections"]}
    return [(line.what, line.phone, line.marks) for line in sections["untold"].lines]


@pytest.mark.parametrize("what", [Delivery.BOUNCED, Delivery.COMPLAINED])
def test_a_mail_that_did_not_arrive_is_told_by_telephone_and_no_other_leaves(
    what: Delivery, desk: Browser, now: datetime, sink: Sink
) -> None:
    booking = bounced(now, what)
    assert not report(booking, Notice.BOOKING_APPROVED, what, now=now)  # it comes twice
    mail.drain()  # it is true, and stays on the list
    ((told, phone, marks),) = untold(desk)
    assert (told, bool(phone), marks) == ("request approved", True, ("mail does not reach them", "ring"))
    before = [to for to in sink.recipients if to == [booking.email]]
    scenarios.call_off(booking, now)
    mail.drain()
    assert [to for to in sink.recipients if to == [booking.email]] == before
    ((told, *_),) = untold(desk)
    assert told.endswith("booking cancelled")  # what it overtook goes with the worker's next look


def test_staff_are_warned_before_they_promise_and_end_it(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    mail.drain()
    report(booking, Notice.BOOKING_RECEIVED, Delivery.BOUNCED, now=now)
    who = scenarios.psychologist()
    shown = desk.post(action_url(booking, "approve"), session_form(booking, who, preview="1"))
    said = dict(shown.context["consequences"].lines)["Mail"]
    assert said[0] == f"Mail does not reach {booking.email} (bounced): ring the visitor."
    assert said[1].startswith("request approved by telephone")
    tell = reverse("admin:bookings_booking_tell", args=[booking.pk])
    page = reverse("admin:bookings_booking_change", args=[booking.pk])
    assert "mail does not reach it" in desk.get(page).content.decode()
    assert "mailed to" in desk.post(tell, {"mail_again": "1"}, follow=True).content.decode()
    assert "mail does not reach it" not in desk.get(page).content.decode()
    assert not ClosedMailbox.objects.exists()


def test_who_proves_the_address_again_is_mailed_again(now: datetime) -> None:
    closed = ClosedMailbox(mailbox="asha@example.org", why=Delivery.BOUNCED, since=now)
    closed.since = now.replace(year=now.year - 1)
    closed.save()
    booking = scenarios.approved(now=now)
    mail.drain()
    assert Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_APPROVED).state == MessageState.DONE


def test_what_may_pass_closes_nothing_and_a_link_that_was_asked_for_is_not_told(desk: Browser, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    mail.drain()
    report(booking, Notice.DRAFT_SUBMITTED, Delivery.BOUNCED, now=now)
    approved = scenarios.approved("ravi@example.org", now=now)
    mail.drain()
    report(approved, Notice.BOOKING_APPROVED, Delivery.BOUNCED, now=now, closes=False)
    assert not ClosedMailbox.objects.exists()
    assert [what for what, *_ in untold(desk)] == ["request approved"]


def test_the_message_and_the_timeline_say_what_became_of_it(desk: Browser, now: datetime) -> None:
    booking = bounced(now)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_APPROVED, recipient=booking.email)
    page = desk.get(reverse("admin:outbox_message_change", args=[message.pk])).content.decode()
    assert "Bounced" in page
    assert "Bounced" in desk.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()


def test_an_erased_person_leaves_no_bounce(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    mail.drain()
    report(booking, Notice.BOOKING_REJECTED, Delivery.BOUNCED, now=now)
    assert ClosedMailbox.objects.exists()
    uuid = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED, recipient=booking.email).uuid
    request = erasures.proved(booking, now=now)
    assert request.due_at is not None
    erasure.carry_out(request.pk, now=request.due_at)
    assert not ClosedMailbox.objects.exists()
    record_delivery(DeliveryReport("", uuid, Delivery.COMPLAINED, closes_mailbox=True), now=request.due_at)
    assert not ClosedMailbox.objects.exists()


@pytest.mark.parametrize(
    ("handed_to", "secret", "said"),
    [
        (Outlet.FALLBACK, "s" * 24, "it left by the second provider, which reports nothing"),
        (Outlet.FIRST, "", "EMAIL_WEBHOOK_SECRET is not set"),
        (Outlet.FIRST, "s" * 24, ""),
    ],
)
def test_the_page_of_a_mail_says_why_nobody_knows_whether_it_arrived(
    handed_to: Outlet, secret: str, said: str, desk: Browser, now: datetime, settings: Any
) -> None:
    settings.EMAIL_WEBHOOK_SECRET = secret
    booking = scenarios.approved(now=now)
    mail.drain()
    Message.objects.update(handed_to=handed_to)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_APPROVED)
    page = desk.get(page_url(message)).content.decode()
    assert (said in page, "never:" in page) == (True, bool(said))
    assert report(booking, Notice.BOOKING_APPROVED, Delivery.DELIVERED, now=now)
    assert "never:" not in desk.get(page_url(message)).content.decode()
