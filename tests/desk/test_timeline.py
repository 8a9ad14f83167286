"""One booking's page: the slots that fit beside the wish, and all that happened in one table."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from backend.accounts.roles import Role
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import disclosure, refunds
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core import correlation
from backend.desk.words import message_name
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, Payment
from backend.people.models import Client, Enquiry
from tests.support import roles, scenarios, working_hours
from tests.support.admin_site import action_url, clerk, form_of, list_url, logged_in, page_url
from tests.support.factories import make_booking

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
PLANTED = "<img src=x onerror=alert(1)>"


def rows(browser: Browser, booking) -> list:
    return browser.get(page_url(booking)).context["timeline"]


def test_everything_stands_in_order_of_time_with_who_and_by_which_request(desk: Browser, now: datetime) -> None:
    correlation.begin("request-0001")
    booking = scenarios.confirmed(now=now)
    payment = Payment.objects.get()
    InboxEvent.objects.create(
        gateway="sandbox", event_id="e", kind="order.captured", payment_reference=payment.reference, received_at=now
    )
    dead = Message.objects.filter(booking_id=booking.pk).earliest("pk")
    late = now + timedelta(minutes=5)
    Message.objects.filter(pk=dead.pk).update(
        state=MessageState.DEAD, attempts=8, last_error="550 no such mailbox", settled_at=late
    )
    disclosure.reveal_phone(booking.pk, actor="staff:asha", now=now + timedelta(minutes=1))
    refunds.grant_refund(booking.pk, 5000, actor="staff:desk", now=now + timedelta(minutes=2))
    client = Client.objects.get()
    client.city, client._history_user = "Nagpur", User.objects.get(username="desk")
    client.save()
    shown = rows(desk, booking)
    assert [row.at for row in shown] == sorted(row.at for row in shown)
    steps = [(row.what, row.state, row.who) for row in shown if row.kind == "step"]
    assert [step[0] for step in steps] == [
        Intent.SUBMIT_DRAFT.label, Intent.VERIFY_EMAIL.label, Intent.APPROVE.label, Intent.START_PAYMENT.label,
        Intent.RECORD_CAPTURE.label, Intent.GRANT_REFUND.label,
    ]  # fmt: skip
    assert (Intent.APPROVE.label, "APPROVED", "desk") in steps
    assert {row.trace for row in shown if row.kind == "step"} == {"request-0001"}
    by_what = {row.what: row for row in shown}
    failed = by_what[f"{message_name(dead.kind)} to asha@example.org"]
    assert (failed.at, failed.state, failed.details) == (late, "Given up", "attempts 8, 550 no such mailbox")
    assert (by_what["telephone number shown"].who, by_what["client edited"].details) == ("asha", "city")
    assert by_what["client edited"].who == "desk"
    assert by_what["gateway said order.captured"].who == "payment gateway sandbox"
    assert by_what[f"online payment {payment.reference}"].state == "Captured"
    assert any(row.what.startswith("refund ") and row.state == "Queued" for row in shown)
    page = desk.get(page_url(booking)).content.decode()
    assert "request-" in page
    assert ">ahead<" in page  # the reminders


def test_records_are_linked_for_those_who_may_see_them(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    manager, receptionist = (logged_in(roles.account(role)) for role in (Role.MANAGER, Role.RECEPTIONIST))
    assert any(row.url for row in rows(manager, booking))
    assert not any(row.url for row in rows(receptionist, booking))


@pytest.mark.parametrize("state", State)
def test_the_table_is_there_in_every_state(desk: Browser, now: datetime, state: State) -> None:
    assert rows(desk, make_booking(state, now=now))


def test_slots_that_fit_lead_into_the_approval_with_one_of_them_chosen(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    working_hours.weekly(who, "09:00 19:00")
    booking = scenarios.pending(now=now)
    page = desk.get(page_url(booking)).content.decode()
    assert "Slots that fit" in page
    assert "as asked for" in page
    offered = desk.get(action_url(booking, "approve")).context["form"].fields["offered"].choices[1][1][0][0]
    form = desk.get(action_url(booking, "approve"), {"offered": offered}).context["form"]
    assert form["offered"].value() == offered
    sent = form_of(booking, offered=offered, slot_start_0="", slot_start_1="")
    assert desk.post(action_url(booking, "approve"), sent).status_code == 302
    assert scenarios.again(booking).state == State.APPROVED
    assert "Slots that fit" not in desk.get(page_url(booking)).content.decode()


def test_a_request_without_a_free_slot_says_so(desk: Browser, now: datetime) -> None:
    assert "No free slot was found" in desk.get(page_url(scenarios.pending(now=now))).content.decode()


def test_slots_are_offered_to_those_who_may_approve(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    reader = logged_in(roles.account(Role.DUTY_PSYCHOLOGIST))
    assert "Slots that fit" in reader.get(page_url(booking)).content.decode()
    assert "Slots that fit" not in clerk("reader", "view_booking").get(page_url(booking)).content.decode()


def test_nothing_that_a_visitor_wrote_is_markup_on_any_page_that_shows_it(desk: Browser, now: datetime) -> None:
    words = ("full_name", "city", "region", "country", "emergency_contact", "user_message")
    given = dict.fromkeys(words, PLANTED)
    request = scenarios.pending(now=now, **given)
    paid = scenarios.confirmed("ravi@example.org", now=now, **given)
    Message.objects.update(last_error=PLANTED)
    pages = [page_url(row) for row in (request, paid)]
    pages += [action_url(request, name) for name in ("approve", "reject", "sponsor", "cancel")]
    pages += [action_url(paid, name) for name in ("reschedule", "refund", "cancel", "follow_up")]
    pages += [reverse("admin:people_client_change", args=[request.client_id]), "/admin/outbox/message/"]
    enquiry = Enquiry.objects.create(subject=PLANTED, text=PLANTED, received_at=now)
    pages += [list_url(Enquiry), page_url(enquiry), list_url(Booking), list_url(Client), "/admin/"]
    pages += [
        f"/admin/people/psychologist/{paid.psychologist_id}/away/",
        f"/admin/calendar/day/?date={paid.slot_start:%F}",
    ]
    pages += [reverse("admin:bookings_booking_new") + more for more in ("?find=ravi", f"?like={paid.pk}")]
    pages += [reverse("admin:bookings_booking_panel", args=[paid.pk])]
    for url in pages:
        answer = desk.get(url)
        assert answer.status_code == 200, url
        assert "<img src=x" not in answer.content.decode(), url
    answer = desk.post(f"/admin/bookings/booking/{request.pk}/reveal-phone/")
    assert "<img src=x" not in answer.content.decode()


@pytest.mark.sqlite_only
def test_what_a_closed_booking_had_planned_is_not_shown_as_coming(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    coming = {row.what: row.state for row in rows(desk, booking) if row.at > now}
    assert "Waiting" in coming.values()
    scenarios.call_off(booking, now)
    assert {row.state for row in rows(desk, booking) if row.at > now} == {"Will not be sent"}
