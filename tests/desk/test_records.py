"""Staff read everything in the admin; what the lifecycle wrote cannot be changed there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.audit.models import AccessRecord
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import cancellation, timers, visitor
from backend.bookings.lifecycle.refunds import RefundReason
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, DataRequest, LedgerEntry, Link, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.desk.display import time_left
from backend.ops.models import Act, Process, TimerRun
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, Payment, Refund
from backend.people.models import Client, Corporate, Enquiry, Language, Location, Psychologist, Specialization
from backend.webhooks.models import Delivery, Subscription
from tests.support import scenarios
from tests.support.admin_site import action_url, clerk, list_url, page_url
from tests.support.factories import make_booking, make_psychologist

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]

READ_ONLY = (
    Booking,
    LedgerEntry,
    AccessRecord,
    SlotClaim,
    Message,
    Payment,
    Refund,
    InboxEvent,
    Enquiry,
    Act,
    Process,
    TimerRun,
    DataRequest,
    Delivery,
)
EDITABLE = (Client, Psychologist, Location, Language, Specialization, Corporate, ClosedDay, Subscription)


@pytest.fixture
def everything(now: datetime) -> None:
    """At least one row of each model."""
    booking = scenarios.confirmed(now=now)
    payment = Payment.objects.get(booking=booking)
    Refund.objects.create(
        payment=payment, reference="REF-1", amount_paise=100, reason="by_staff", actor="staff:desk", queued_at=now
    )
    InboxEvent.objects.create(gateway="sandbox", event_id="evt_1", kind="order.captured", received_at=now)
    AccessRecord.objects.create(actor="staff:desk", at=now, kind="revealed")
    DataRequest.objects.create(
        kind="erasure", state="asked", booking=booking, client=booking.client, asked_at=now, deadline=now, due_at=now
    )
    Corporate.objects.create(name="Acme")
    Location.objects.create(name="Rooms", address="1 Road")
    Language.objects.create(name="Marathi")
    Specialization.objects.create(name="Grief")
    ClosedDay.objects.create(weekday=6)
    Enquiry.objects.create(subject="Workshop", text="For twenty people.", received_at=now)
    Process.objects.create(name="mail@host", role="mail", seen_at=now)
    TimerRun.objects.create(timer="lapse_drafts", started_at=now)
    Act.objects.create(at=now, actor="staff:desk", verb="pause", subject="mail", reason="x")
    subscriber = Subscription.objects.create(name="Acme", address="https://acme.example.org/in", created_at=now)
    Delivery.objects.create(
        subscription=subscriber, message=Message.objects.earliest("pk"), at=now, status=204, milliseconds=9
    )


# -- the way in and the pages ------------------------------------------------------------------------------------------


def test_admin_without_slash_leads_to_the_log_in_page() -> None:
    answer = Browser().get("/admin", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")
    assert "Log in" in answer.content.decode()


def test_the_log_in_page_lets_the_browser_say_where_a_form_came_from() -> None:
    """Under no-referrer browsers send `Origin: null` with every form, which Django's CSRF check refuses."""
    assert Browser().get("/admin/login/")["Referrer-Policy"] != "no-referrer"


def test_a_page_of_the_admin_may_load_from_this_host_alone(desk: Browser) -> None:
    for page in (Browser().get("/admin/login/"), desk.get("/admin/"), desk.get("/admin/nothing/")):
        policy = dict(rule.partition(" ")[::2] for rule in page["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["form-action"] == "'self'"
        sources = {source for rule in policy.values() for source in rule.split()}
        assert sources <= {"'self'", "'none'", "'unsafe-inline'", "data:"}
    assert "Content-Security-Policy" not in Browser().get("/api/ping/")


@pytest.mark.parametrize("model", READ_ONLY + EDITABLE, ids=lambda model: model.__name__)
def test_list_page_and_history_of_every_model_can_be_read(
    desk: Browser, everything: None, model: type[models.Model]
) -> None:
    row = model._default_manager.first()
    assert row is not None
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    history = reverse(f"admin:{label}_history", args=[row.pk])
    for url in (list_url(model), list_url(model) + "?q=1", page_url(row), history):
        assert desk.get(url).status_code == 200, url


def test_all_our_models_are_registered_but_the_links() -> None:
    ours = {model for model in admin.site._registry if model.__module__.startswith("backend.")}
    assert ours == {*READ_ONLY, *EDITABLE}
    assert Link not in ours


@pytest.mark.parametrize("state", State.values)
def test_the_page_of_a_booking_can_be_read_in_every_state(desk: Browser, now: datetime, state: str) -> None:
    booking = make_booking(State(state), now=now)
    assert State(state).label in desk.get(page_url(booking)).content.decode()


def test_no_page_asks_another_host_for_anything(desk: Browser, everything: None, now: datetime) -> None:
    booking = scenarios.pending("nisha@example.org", now=now)
    urls = ["/admin/", "/admin/password_change/", action_url(booking, "approve"), page_url(booking)]
    urls += [list_url(model) for model in READ_ONLY + EDITABLE]
    urls += [f"/admin/ops/act/{page}/" for page in ("overview", "schedules", "dead-letters", "queues/mail")]
    pages = [desk.get(url).content.decode() for url in urls] + [Browser().get("/admin/login/").content.decode()]
    for page in pages:
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']([^\"']+)", page)
        assert loaded
        assert [address for address in loaded if not address.startswith(("/static/", "/admin/"))] == []


@pytest.mark.parametrize("model", READ_ONLY + EDITABLE, ids=lambda model: model.__name__)
def test_a_longer_list_costs_no_more_queries(
    desk: Browser, everything: None, now: datetime, model: type[models.Model]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(list_url(model)).status_code == 200
        return len(captured)

    queries()  # fills the caches of content types and permissions
    short = queries()
    for number in range(5):
        who = make_psychologist(f"Dr. {number}", location=Location.objects.create(name=str(number), address="Road"))
        booking = make_booking(State.CONFIRMED, now=now, email=f"{number}@example.org", psychologist=who)
        payment = Payment.objects.create(
            booking=booking, reference=f"P{number}", amount_paise=100, currency="INR", started_at=now
        )
        Refund.objects.create(
            payment=payment, reference=f"R{number}", amount_paise=1, reason="x", actor="x", queued_at=now
        )
        subscriber = Subscription.objects.create(name=str(number), address="https://acme.example.org", created_at=now)
        message = Message.objects.order_by("pk")[number]
        Delivery.objects.create(subscription=subscriber, message=message, at=now, status=204, milliseconds=9)
    assert queries() <= short <= 9  # a psychologist's row names languages, too


# -- what cannot be changed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_records_cannot_be_added_changed_or_deleted(desk: Browser, everything: None, model: type[models.Model]) -> None:
    row = model._default_manager.latest("pk")
    before = model._default_manager.filter(pk=row.pk).values().get()
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    attempt = {"state": "PENDING", "full_name": "Mallory", "actor": "mallory", "amount_paise": "1", "recipient": "m"}
    for url in (page_url(row), reverse(f"admin:{label}_delete", args=[row.pk]), reverse(f"admin:{label}_add")):
        assert desk.post(url, {**attempt, "post": "yes"}).status_code == 404, url
    desk.post(list_url(model), {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"})
    assert model._default_manager.filter(pk=row.pk).values().get() == before


# -- reading bookings --------------------------------------------------------------------------------------------------


def test_the_list_says_who_when_and_how_long_is_left(desk: Browser, now: datetime) -> None:
    booking = scenarios.approved(now=now, full_name="Nisha Kulkarni")
    page = desk.get(list_url(Booking)).content.decode()
    for shown in (str(booking), "Nisha Kulkarni", "Approved", "Dr. Meera Iyer", "Thu 26 Nov 2026,"):
        assert shown in page
    for shown in ("Tue 24 Nov 2026,", ">17:30 IST<"):
        assert shown in page
    assert booking.due_at is not None
    assert time_left(booking.due_at, now=now) in page


def test_a_booking_is_found_by_id_with_misread_letters_by_name_address_and_phone(desk: Browser, now: datetime) -> None:
    given = {"acknowledgement_id": "MS-10ABCD", "full_name": "Nisha", "email": "n@example.org"}
    wanted = make_booking(State.PENDING, now=now, **given)
    make_booking(State.PENDING, now=now, full_name="Ravi", email="ravi@example.org", phone_number="111")
    for term in ("ms-ioabcd", "nisha", "n@example.org", wanted.phone_number):
        found = desk.get(list_url(Booking), {"q": term}).context["cl"].queryset
        assert list(found) == [wanted], term


@pytest.mark.parametrize(("choice", "days"), [("past", [-1]), ("today", [0]), ("tomorrow", [1]), ("week", [0, 1, 7])])
def test_the_list_can_be_narrowed_to_preferred_days(desk: Browser, now: datetime, choice: str, days: list[int]) -> None:
    today = now.date()
    for offset in (-1, 0, 1, 7, 8):
        make_booking(
            State.PENDING, now=now, email=f"{offset}@example.org", preferred_date=today + timedelta(days=offset)
        )
    found = desk.get(list_url(Booking), {"preferred": choice}).context["cl"].queryset
    assert sorted((booking.preferred_date - today).days for booking in found) == days


def test_the_page_tells_what_was_asked_settled_paid_and_mailed(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, user_message="First line.\nSecond <b>line</b>.")
    dead = Message.objects.filter(booking_id=booking.pk, kind="booking_approved")
    dead.update(state=MessageState.DEAD, last_error="550 no such mailbox")
    answer = desk.get(page_url(booking))
    page = answer.content.decode()
    assert "First line.<br>Second &lt;b&gt;line&lt;/b&gt;." in page
    assert "Tue 24 Nov 2026, 17:30 IST" in page
    assert "₹1,500.00" in page
    assert Payment.objects.get().reference in page
    assert "550 no such mailbox" in page
    steps = [row for row in answer.context["timeline"] if row.kind == "step"]
    intents = (
        Intent.SUBMIT_DRAFT, Intent.VERIFY_EMAIL, Intent.APPROVE, Intent.START_PAYMENT, Intent.RECORD_CAPTURE,
    )  # fmt: skip
    assert [row.what for row in steps] == [intent.label for intent in intents]
    assert steps[2].details == "Dr. Meera Iyer, ₹1,500.00"


def test_the_page_of_a_booking_costs_a_bounded_number_of_queries(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    desk.get(page_url(booking))
    with CaptureQueriesContext(connection) as captured:
        desk.get(page_url(booking))
    assert len(captured) <= 26, [row["sql"][:150] for row in captured]


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(hours=3, minutes=4), "3 h 4 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(minutes=4, seconds=59), "4 min"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=-5), "5 min overdue"),
    ],
)
def test_time_left_reads_in_two_units(now: datetime, left: timedelta, shown: str) -> None:
    assert time_left(now + left, now=now) == shown
    assert time_left(None, now=now) == "-"


# -- what presses ------------------------------------------------------------------------------------------------------


def test_who_asked_again_stands_first_until_answered(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert booking.due_at is not None
    timers.close_unanswered(booking.pk, now=booking.due_at)
    again = visitor.request_again(scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN), now=now)
    newer = scenarios.pending("ravi@example.org", now=now)
    answer = desk.get(list_url(Booking))
    assert [row.pk for row in answer.context["cl"].queryset] == [again.pk, newer.pk, booking.pk]
    assert answer.content.decode().count("asked again</span>") == 1
    assert list(desk.get(list_url(Booking), {"waits": "again"}).context["cl"].queryset) == [again]


def test_a_wish_to_cancel_is_seen_in_the_list_and_on_the_page(desk: Browser, now: datetime) -> None:
    scenarios.pending("ravi@example.org", now=now)
    booking = scenarios.pending(now=now)
    assert "The visitor asked to cancel" not in desk.get(page_url(booking)).content.decode()
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    assert "asked to cancel</span>" in desk.get(list_url(Booking)).content.decode()
    assert list(desk.get(list_url(Booking), {"waits": "cancel"}).context["cl"].queryset) == [booking]
    page = clerk("reader", "view_booking").get(page_url(booking)).content.decode()
    assert "The visitor asked to cancel</strong>, Mon 23 Nov 2026, 10:00 IST" in page


# -- the outbox --------------------------------------------------------------------------------------------------------


def test_dead_messages_are_found_with_their_booking_and_error(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    dead = Message.objects.filter(booking_id=booking.pk).earliest("pk")
    Message.objects.filter(pk=dead.pk).update(state=MessageState.DEAD, attempts=8, last_error="550 no such mailbox")
    answer = desk.get(list_url(Message), {"state__exact": "dead"})
    assert list(answer.context["cl"].queryset) == [dead]
    page = answer.content.decode()
    assert page_url(booking) in page
    assert "550 no such mailbox" in page
    for asked in (str(booking.pk), str(booking)):
        assert dead in desk.get(list_url(Message), {"q": asked}).context["cl"].queryset


@pytest.mark.parametrize(
    ("model", "words", "stored"),
    [
        (Message, ["request received", "MS-"], [">booking_received<", ">booking "]),
        (Refund, ["cancelled by the practice", ">desk<"], [">cancelled_by_staff<", ">staff:desk<"]),
        (Act, [">desk<", "Paused a queue"], [">staff:desk<"]),
    ],
)
def test_the_lists_of_operators_say_it_in_words(
    desk: Browser, everything: None, model: type[models.Model], words: list[str], stored: list[str]
) -> None:
    Refund.objects.update(reason=RefundReason.BY_STAFF)
    page = desk.get(list_url(model)).content.decode().split('id="result_list"')[1]
    assert [word for word in words if word not in page] == []
    assert [word for word in stored if word in page] == []
