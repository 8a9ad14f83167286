"""Staff read everything in the admin, edit people and closed days, and approve requests; the rest cannot be changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection, models
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from backend.bookings.admin.approval import ANSWERS
from backend.bookings.admin.display import time_left
from backend.bookings.lifecycle import staff
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, LedgerEntry, Link, SlotClaim
from backend.errors import Code
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, Payment, Refund
from backend.people.models import Client, Corporate, Location, Psychologist
from tests import story
from tests.factories import make_booking, make_client, make_psychologist

pytestmark = pytest.mark.django_db

READ_ONLY = (Booking, LedgerEntry, SlotClaim, Message, Payment, Refund, InboxEvent)
EDITABLE = (Client, Psychologist, Location, Corporate, ClosedDay)


@pytest.fixture(autouse=True)
def _clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def desk() -> Browser:
    """Somebody who may do everything, logged in."""
    return logged_in(User.objects.create_superuser("desk"))


@pytest.fixture
def everything(now: datetime) -> None:
    """At least one row of each model."""
    booking = story.confirmed(now=now)
    payment = Payment.objects.get(booking=booking)
    Refund.objects.create(
        payment=payment, reference="REF-1", amount_paise=100, reason="by_staff", actor="staff:desk", queued_at=now
    )
    InboxEvent.objects.create(gateway="sandbox", event_id="evt_1", kind="order.captured", received_at=now)
    Corporate.objects.create(name="Acme")
    Location.objects.create(name="Rooms", address="1 Road")
    ClosedDay.objects.create(weekday=6)


def logged_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def clerk(username: str, *permissions: str) -> Browser:
    """An account with only these permissions, logged in."""
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return logged_in(user)


def list_url(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_url(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def approve_url(booking: Booking) -> str:
    return reverse("admin:bookings_booking_approve", args=[booking.pk])


def typed(who: Psychologist | None, start: str = "2026-11-25 18:00", **changes: str) -> dict[str, str]:
    """What staff type into the approval form; times are the practice's."""
    date, _, hour = start.partition(" ")
    psychologist = str(who.pk) if who else ""
    return {"psychologist": psychologist, "slot_start_0": date, "slot_start_1": hour, "length": "60"} | changes


def written() -> tuple[int, int, int]:
    """What an approval adds to."""
    return LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count()


# -- the way in and the pages ------------------------------------------------------------------------------------------


def test_admin_without_slash_leads_to_the_log_in_page() -> None:
    answer = Browser().get("/admin", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")
    assert "Log in" in answer.content.decode()


def test_the_log_in_page_lets_the_browser_say_where_a_form_came_from() -> None:
    """Under no-referrer browsers send `Origin: null` with every form, which Django's CSRF check refuses."""
    assert Browser().get("/admin/login/")["Referrer-Policy"] != "no-referrer"


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
    page = desk.get(page_url(booking)).content.decode()
    assert State(state).label in page
    assert ("/approve/" in page) == (state == State.PENDING)


def test_no_page_asks_another_host_for_anything(desk: Browser, everything: None, now: datetime) -> None:
    booking = story.pending("nisha@example.org", now=now)
    urls = ["/admin/", "/admin/password_change/", approve_url(booking), page_url(booking)]
    urls += [list_url(model) for model in READ_ONLY + EDITABLE]
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
    assert queries() <= short <= 8


# -- what cannot be changed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_records_cannot_be_added_changed_or_deleted(desk: Browser, everything: None, model: type[models.Model]) -> None:
    row = model._default_manager.latest("pk")
    before = model._default_manager.filter(pk=row.pk).values().get()
    label = f"{model._meta.app_label}_{model._meta.model_name}"
    attempt = {"state": "PENDING", "full_name": "Mallory", "actor": "mallory", "amount_paise": "1", "recipient": "m"}
    for url in (page_url(row), reverse(f"admin:{label}_delete", args=[row.pk]), reverse(f"admin:{label}_add")):
        assert desk.post(url, {**attempt, "post": "yes"}).status_code == 403, url
    desk.post(list_url(model), {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"})
    assert model._default_manager.filter(pk=row.pk).values().get() == before


# -- reading bookings --------------------------------------------------------------------------------------------------


def test_the_list_says_who_when_and_how_long_is_left(desk: Browser, now: datetime) -> None:
    booking = story.approved(now=now, full_name="Nisha Kulkarni")
    page = desk.get(list_url(Booking)).content.decode()
    for shown in (str(booking), "Nisha Kulkarni", "Approved", "Dr. Meera Iyer", "Thu 26 Nov 2026, morning"):
        assert shown in page
    assert "Tue 24 Nov 2026, 17:30 IST" in page
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
    booking = story.confirmed(now=now, user_message="First line.\nSecond <b>line</b>.")
    dead = Message.objects.filter(booking_id=booking.pk, kind="booking_approved")
    dead.update(state=MessageState.DEAD, last_error="550 no such mailbox")
    page = desk.get(page_url(booking)).content.decode()
    assert "First line.<br>Second &lt;b&gt;line&lt;/b&gt;." in page
    assert "Tue 24 Nov 2026, 17:30 IST" in page
    assert "1500.00 rupees" in page
    assert Payment.objects.get().reference in page
    assert "550 no such mailbox" in page
    intents = re.findall(r'field-intent">\s*<p>(\w+)</p>', page)
    assert intents == ["submit_draft", "verify_email", "approve", "start_payment", "record_capture"]


def test_the_page_of_a_booking_costs_a_bounded_number_of_queries(desk: Browser, now: datetime) -> None:
    booking = story.confirmed(now=now)
    desk.get(page_url(booking))
    with CaptureQueriesContext(connection) as captured:
        desk.get(page_url(booking))
    assert len(captured) <= 14


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


# -- approving ---------------------------------------------------------------------------------------------------------


def test_staff_approve_through_the_form_and_read_what_was_done(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    form = desk.get(approve_url(booking))
    assert form.status_code == 200
    assert "Asia/Kolkata" in form.content.decode()
    assert escape(booking.user_message) in form.content.decode()
    answer = desk.post(approve_url(booking), typed(who, length="45", amount="1200.50"), follow=True)
    assert answer.redirect_chain == [(page_url(booking), 302)]
    approved = story.again(booking)
    assert approved.state == State.APPROVED
    assert approved.slot_start == datetime.fromisoformat("2026-11-25T18:00+05:30")
    assert approved.slot_end == datetime.fromisoformat("2026-11-25T18:45+05:30")
    assert approved.amount_paise == 120_050
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").actor == "staff:desk"
    page = answer.content.decode()
    assert "1200.50 rupees to be paid by" in page
    assert "booking approved (now), payment still due (" in page


def test_empty_amount_length_and_link_mean_the_usual_ones(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist(fee_paise=99_900)
    assert desk.post(approve_url(booking), typed(who, length="")).status_code == 302
    approved = story.again(booking)
    assert (approved.amount_paise, approved.meeting_link) == (99_900, who.meeting_link)
    assert approved.slot_end == datetime.fromisoformat("2026-11-25T19:00+05:30")


def test_nothing_to_pay_confirms_and_the_message_names_no_payment(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    page = desk.post(approve_url(booking), typed(who, amount="0"), follow=True).content.decode()
    assert story.again(booking).state == State.CONFIRMED
    assert "is Confirmed" in page
    assert "to be paid by Tue" not in page
    assert "booking confirmed (now)" in page


def test_the_form_shows_only_what_matters_to_the_booking(desk: Browser, now: datetime) -> None:
    adult_online = story.pending(now=now)
    minor_in_person = story.pending("ravi@example.org", now=now, age=17, mode="OFFLINE")
    assert list(desk.get(approve_url(adult_online)).context["form"].fields) == [
        "psychologist", "slot_start", "length", "amount", "meeting_link",
    ]  # fmt: skip
    assert list(desk.get(approve_url(minor_in_person)).context["form"].fields) == [
        "psychologist", "slot_start", "length", "amount", "location", "guardian_consent",
    ]  # fmt: skip


def test_the_form_starts_from_the_preferred_day_and_hour(desk: Browser, now: datetime) -> None:
    booking = story.pending(
        now=now, preferred_period="CUSTOM", preferred_time_start=time(18), preferred_time_end=time(20)
    )
    page = desk.get(approve_url(booking)).content.decode()
    assert 'value="2026-11-26"' in page
    assert 'value="18:00"' in page


def test_only_active_psychologists_are_offered(desk: Browser, now: datetime) -> None:
    booking = story.pending(now=now)
    here, gone = story.psychologist("Dr. Here"), story.psychologist("Dr. Gone", is_active=False)
    assert list(desk.get(approve_url(booking)).context["form"].fields["psychologist"].queryset) == [here]
    answer = desk.post(approve_url(booking), typed(gone))
    assert answer.status_code == 400
    assert ANSWERS[Code.PSYCHOLOGIST_REQUIRED].sentence in answer.content.decode()


@pytest.mark.parametrize(
    ("code", "status", "visitor", "psychologist", "form"),
    [
        (Code.PSYCHOLOGIST_REQUIRED, 400, {}, {}, {"psychologist": ""}),
        (Code.SLOT_PAST, 400, {}, {}, {"slot_start_0": "2026-11-22"}),
        (Code.SLOT_TOO_NEAR, 409, {}, {}, {"slot_start_0": "2026-11-23", "slot_start_1": "10:20"}),
        (Code.SLOT_INVALID, 400, {}, {}, {"length": "241"}),
        (Code.SLOT_INVALID, 400, {}, {}, {"slot_start_0": "2028-11-25"}),
        (Code.SLOT_TAKEN, 409, {}, {}, {"slot_start_0": "2026-11-24", "slot_start_1": "17:30"}),
        (Code.MEETING_LINK_REQUIRED, 400, {}, {"meeting_link": ""}, {}),
        (Code.ADDRESS_REQUIRED, 400, {"mode": "OFFLINE"}, {}, {}),
        (Code.GUARDIAN_CONSENT_REQUIRED, 400, {"age": 17}, {}, {}),
        (Code.AMOUNT_INVALID, 400, {}, {}, {"amount": "100000.01"}),
        (Code.AMOUNT_INVALID, 400, {}, {}, {"amount": "-1"}),
    ],
)
def test_a_refusal_is_shown_beside_what_was_typed_and_nothing_is_written(
    desk: Browser, now: datetime, code: Code, status: int, visitor: dict, psychologist: dict, form: dict
) -> None:
    who = story.psychologist(**psychologist)
    if code == Code.SLOT_TAKEN:
        story.approved("ravi@example.org", now=now, who=who)
    booking = story.pending(now=now, **visitor)
    before = written()
    answer = desk.post(approve_url(booking), {**typed(who, amount="1234.5"), **form})
    assert answer.status_code == status
    shown, expected = answer.context["form"], ANSWERS[code]
    assert str(shown.errors[expected.field][0]).startswith(expected.sentence.partition("{")[0])
    assert escape(shown.errors[expected.field][0]) in answer.content.decode()
    assert f'value="{form.get("amount", "1234.5")}"' in answer.content.decode()
    assert written() == before
    assert story.again(booking).state == State.PENDING


def test_a_taken_slot_names_the_free_ones_nearby(desk: Browser, now: datetime) -> None:
    who = story.psychologist()
    story.approved("ravi@example.org", now=now, who=who)  # Tue 24 Nov 2026, 17:30 IST
    page = desk.post(approve_url(story.pending(now=now)), typed(who, "2026-11-24 17:30")).content.decode()
    assert "Free near it: Tue 24 Nov 2026, 16:00 IST;" in page


def test_typing_errors_are_shown_beside_their_field(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    mistakes = {"slot_start_1": "half six", "length": "-1", "amount": "12.345", "meeting_link": "http://insecure.org"}
    answer = desk.post(approve_url(booking), typed(who) | mistakes)
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"slot_start", "length", "amount", "meeting_link"}
    assert desk.post(approve_url(booking), {}).status_code == 400
    assert story.again(booking).state == State.PENDING


def test_the_consent_of_a_guardian_is_recorded_with_who_recorded_it(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now, age=17), story.psychologist()
    assert desk.post(approve_url(booking), typed(who, guardian_consent="on")).status_code == 302
    assert story.again(booking).guardian_consent_by == "staff:desk"


def test_an_in_person_session_takes_the_chosen_location(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now, mode="OFFLINE", payment_mode="OFFLINE"), story.psychologist()
    rooms = Location.objects.create(name="Rooms", address="1 Road, Pune")
    assert desk.post(approve_url(booking), typed(who, location=str(rooms.pk))).status_code == 302
    assert story.again(booking).address == "1 Road, Pune"


def test_the_second_of_two_reads_who_was_first_and_changes_nothing(desk: Browser, now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    staff.approve(booking.pk, staff.Approval(who.pk, story.slot_tomorrow(now)), actor="staff:meera", now=now)
    before = written()
    answer = desk.post(approve_url(booking), typed(who, meeting_link="https://meet.example.org/kept"))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "“approve” by staff:meera, Mon 23 Nov 2026, 10:00 IST" in page
    assert "It is now Approved" in page
    assert "https://meet.example.org/kept" in page
    assert written() == before
    late = desk.get(approve_url(booking), follow=True)
    assert late.redirect_chain == [(page_url(booking), 302)]
    assert "by staff:meera" in late.content.decode()


def test_approving_needs_the_permission_to_change_a_booking(now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    reader = clerk("reader", "view_booking")
    page = reader.get(page_url(booking))
    assert page.status_code == 200
    assert "/approve/" not in page.content.decode()
    assert reader.get(approve_url(booking)).status_code == 403
    assert reader.post(approve_url(booking), typed(who)).status_code == 403
    assert Browser().get(approve_url(booking))["Location"].startswith("/admin/login/")
    assert story.again(booking).state == State.PENDING
    assert clerk("decider", "change_booking").post(approve_url(booking), typed(who)).status_code == 302


def test_a_forged_form_is_refused(now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("desk"))
    assert browser.post(approve_url(booking), typed(who)).status_code == 403
    assert story.again(booking).state == State.PENDING


def test_a_long_user_name_fits_the_ledger(now: datetime) -> None:
    booking, who = story.pending(now=now), story.psychologist()
    long = logged_in(User.objects.create_superuser("x" * 150))
    assert long.post(approve_url(booking), typed(who)).status_code == 302
    assert len(LedgerEntry.objects.filter(booking=booking).latest("sequence").actor) == 80


def test_an_unknown_booking_cannot_be_approved(desk: Browser) -> None:
    assert desk.get("/admin/bookings/booking/999/approve/").status_code == 404


def test_every_refusal_of_an_approval_has_its_sentence() -> None:
    documented = (staff.approve.__doc__ or "").partition("Refuses:")[2]
    assert {code.value for code in ANSWERS} == set(re.findall(r"[a-z_]+", documented))


# -- editing people and closed days ------------------------------------------------------------------------------------


def test_a_fee_is_typed_in_rupees_and_kept_in_paise(desk: Browser) -> None:
    add = reverse("admin:people_psychologist_add")
    assert "1500.00" in desk.get(add).content.decode()  # the default, in the help text
    fields = {"full_name": "Dr. Rao", "email": "rao@example.org", "is_active": "on"}
    assert desk.post(add, {**fields, "fee": "1250.50"}).status_code == 302
    who = Psychologist.objects.get()
    assert who.fee_paise == 125_050
    assert 'value="1250.50"' in desk.get(page_url(who)).content.decode()
    assert desk.post(page_url(who), {**fields, "fee": ""}).status_code == 302
    assert Psychologist.objects.get().fee_paise is None
    assert desk.post(page_url(who), {**fields, "fee": "0"}).status_code == 302
    assert Psychologist.objects.get().fee_paise == 0


def test_an_edit_is_kept_in_the_history_with_who_made_it(desk: Browser) -> None:
    who = make_psychologist()
    desk.post(page_url(who), {"full_name": "Dr. New Name", "email": who.email, "fee": "10"})
    newest = who.history.first()
    assert (newest.full_name, newest.fee_paise, newest.history_user.username) == ("Dr. New Name", 1000, "desk")
    old = who.history.last()
    assert desk.get(reverse("admin:people_psychologist_simple_history", args=[who.pk, old.pk])).status_code == 200


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"fee": "-1"}, "fee"),
        ({"fee": "1.001"}, "fee"),
        ({"meeting_link": "http://insecure.org"}, "meeting_link"),
        ({"email": "nobody"}, "email"),
        ({"full_name": ""}, "full_name"),
    ],
)
def test_a_wrong_field_is_named(desk: Browser, fields: dict[str, str], wrong: str) -> None:
    good = {"full_name": "Dr. Rao", "email": "rao@example.org", "is_active": "on"}
    answer = desk.post(reverse("admin:people_psychologist_add"), good | fields)
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {wrong}
    assert not Psychologist.objects.exists()


def test_a_reader_of_psychologists_sees_the_fee_in_rupees() -> None:
    who = make_psychologist(fee_paise=125_050)
    page = clerk("reader", "view_psychologist").get(page_url(who))
    assert page.status_code == 200
    assert "1250.50" in page.content.decode()


def test_a_clients_address_is_kept_in_lower_case_and_once(desk: Browser, now: datetime) -> None:
    add = reverse("admin:people_client_add")
    assert desk.post(add, {"email": "Asha@Example.org", "full_name": "Asha"}).status_code == 302
    client = Client.objects.get()
    assert (client.email, client.created_at) == ("asha@example.org", now)
    again = desk.post(add, {"email": "ASHA@example.org"})
    assert "email" in again.context["adminform"].form.errors
    assert desk.post(page_url(client), {"email": "asha@example.org", "city": "Pune"}).status_code == 302
    assert Client.objects.get().city == "Pune"


def test_a_client_with_bookings_cannot_be_deleted(desk: Browser, now: datetime) -> None:
    make_booking(State.PENDING, now=now, client=make_client(now=now))
    desk.post(reverse("admin:people_client_delete", args=[Client.objects.get().pk]), {"post": "yes"})
    assert Client.objects.exists()


@pytest.mark.parametrize(
    ("typed_day", "is_kept"),
    [
        ({"weekday": "6"}, True),
        ({"date": "2026-12-25"}, True),
        ({}, False),
        ({"weekday": "6", "date": "2026-12-25"}, False),
    ],
)
def test_a_closed_day_is_a_weekday_or_a_date(desk: Browser, typed_day: dict[str, str], is_kept: bool) -> None:
    answer = desk.post(reverse("admin:bookings_closedday_add"), typed_day)
    assert ClosedDay.objects.exists() == is_kept
    assert is_kept or "Give either a weekday or a date." in answer.content.decode()


# -- the outbox --------------------------------------------------------------------------------------------------------


def test_dead_messages_are_found_with_their_booking_and_error(desk: Browser, now: datetime) -> None:
    booking = story.pending(now=now)
    dead = Message.objects.filter(booking_id=booking.pk).earliest("pk")
    Message.objects.filter(pk=dead.pk).update(state=MessageState.DEAD, attempts=8, last_error="550 no such mailbox")
    answer = desk.get(list_url(Message), {"state__exact": "dead"})
    assert list(answer.context["cl"].queryset) == [dead]
    page = answer.content.decode()
    assert page_url(booking) in page
    assert "550 no such mailbox" in page
    by_booking = desk.get(list_url(Message), {"q": str(booking.pk)}).context["cl"].queryset
    assert dead in by_booking
