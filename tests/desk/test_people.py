"""Staff edit psychologists, clients and closed days in the admin, and read enquiries."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.machine import State
from backend.bookings.models import ClosedDay
from backend.people.models import Client, Enquiry, Psychologist
from tests.support.admin_site import clerk, list_url, page_url, psychologist_form
from tests.support.factories import make_booking, make_client, make_psychologist

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]


def test_a_fee_is_typed_in_rupees_and_kept_in_paise(desk: Browser) -> None:
    add = reverse("admin:people_psychologist_add")
    assert "1500.00" in desk.get(add).content.decode()  # the default, in the help text
    fields = {"full_name": "Dr. Rao", "email": "rao@example.org", "is_active": "on", **psychologist_form()}
    assert desk.post(add, {**fields, "fee": "1250.50"}).status_code == 302
    who = Psychologist.objects.get()
    assert who.fee_paise == 125_050
    assert 'value="1250.50"' in desk.get(page_url(who)).content.decode()
    assert desk.post(page_url(who), {**fields, "fee": ""}).status_code == 302
    assert Psychologist.objects.get().fee_paise is None
    assert desk.post(page_url(who), {**fields, "fee": "0"}).status_code == 302
    assert Psychologist.objects.get().fee_paise == 0


def test_a_fee_is_at_most_what_an_approval_allows(desk: Browser) -> None:
    add = reverse("admin:people_psychologist_add")
    fields = {"full_name": "Dr. Rao", "email": "rao@example.org", **psychologist_form()}
    assert "A session costs at most ₹1,00,000.00." in desk.post(add, fields | {"fee": "100001"}).content.decode()
    assert desk.post(add, fields | {"fee": "100000"}).status_code == 302


def test_an_edit_is_kept_in_the_history_with_who_made_it(desk: Browser) -> None:
    who = make_psychologist()
    desk.post(page_url(who), {"full_name": "Dr. New Name", "email": who.email, "fee": "10", **psychologist_form()})
    newest = who.history.first()
    assert (newest.full_name, newest.fee_paise, newest.history_user.username) == ("Dr. New Name", 1000, "desk")
    versions = desk.get(reverse("admin:people_psychologist_history", args=[who.pk])).content.decode()
    assert "Mon 23 Nov 2026, 10:00 IST" in versions
    old = who.history.last()
    assert desk.get(reverse("admin:people_psychologist_simple_history", args=[who.pk, old.pk])).status_code == 200


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"fee": "-1"}, "fee"),
        ({"fee": "1.001"}, "fee"),
        ({"fee": "100000.01"}, "fee"),
        ({"meeting_link": "http://insecure.org"}, "meeting_link"),
        ({"email": "nobody"}, "email"),
        ({"full_name": ""}, "full_name"),
        ({"time_zone": "Asia/Pune"}, "time_zone"),
        ({"session_minutes": "4"}, "session_minutes"),
        ({"session_minutes": "241"}, "session_minutes"),
        ({"buffer_minutes": "-1"}, "buffer_minutes"),
        ({"horizon_days": "0"}, "horizon_days"),
    ],
)
def test_a_wrong_field_is_named(desk: Browser, fields: dict[str, str], wrong: str) -> None:
    good = {"full_name": "Dr. Rao", "email": "rao@example.org", "is_active": "on", **psychologist_form()}
    answer = desk.post(reverse("admin:people_psychologist_add"), good | fields)
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {wrong}
    assert not Psychologist.objects.exists()


def test_a_reader_of_psychologists_sees_the_fee_in_rupees() -> None:
    who = make_psychologist(fee_paise=125_050)
    page = clerk("reader", "view_psychologist").get(page_url(who))
    assert page.status_code == 200
    assert "1,250.50" in page.content.decode()


def test_a_clients_address_is_kept_in_lower_case_and_once(desk: Browser, now: datetime) -> None:
    add = reverse("admin:people_client_add")
    assert desk.post(add, {"email": "Asha@Example.org", "full_name": "Asha"}).status_code == 302
    client = Client.objects.get()
    assert (client.email, client.created_at) == ("asha@example.org", now)
    again = desk.post(add, {"email": "ASHA@example.org"})
    assert "email" in again.context["adminform"].form.errors
    assert desk.post(page_url(client), {"email": "asha@example.org", "city": "Pune"}).status_code == 302
    assert Client.objects.get().city == "Pune"
    for url in (add, page_url(client)):
        assert "email" in desk.post(url, {"email": ""}).context["adminform"].form.errors


def test_a_client_without_an_address_is_edited_without_one_and_may_get_one(desk: Browser, now: datetime) -> None:
    client = make_client(email="", now=now)
    assert desk.post(page_url(client), {"email": "", "city": "Pune"}).status_code == 302
    assert desk.post(page_url(client), {"email": "asha@example.org"}).status_code == 302
    assert Client.objects.get().email == "asha@example.org"


def test_a_clients_own_words_are_judged_as_when_they_ask_for_a_session(desk: Browser) -> None:
    add = reverse("admin:people_client_add")
    desk.post(add, {"email": "asha@müller.example"})
    for spelling in ("asha@MÜLLER.example", "asha@xn--mller-kva.example"):
        assert "email" in desk.post(add, {"email": spelling}).context["adminform"].form.errors
    assert Client.objects.get().email == "asha@xn--mller-kva.example"
    wrong = {"full_name": "J", "phone_number": "98765", "city": "a\x07b", "emergency_contact": "x" * 121}
    answer = desk.post(page_url(Client.objects.get()), {"email": "asha@müller.example", **wrong})
    assert answer.context["adminform"].form.errors.keys() == wrong.keys()


def test_a_psychologists_address_is_kept_as_mail_servers_take_it(desk: Browser) -> None:
    add = reverse("admin:people_psychologist_add")
    desk.post(add, {"full_name": "Dr. Rao", "email": "Rao@Straße.example", "is_active": "on", **psychologist_form()})
    assert Psychologist.objects.get().email == "rao@xn--strae-oqa.example"


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


def test_an_enquiry_can_be_read_and_its_text_only_on_its_own_page(desk: Browser, now: datetime) -> None:
    enquiry = Enquiry.objects.create(subject="Workshop", text="For <twenty> people.\nSoon?", received_at=now)
    listed = desk.get(list_url(Enquiry)).content.decode()
    assert "Workshop" in listed
    assert "Mon 23 Nov 2026, 10:00 IST" in listed
    assert "twenty" not in listed
    assert "For &lt;twenty&gt; people.<br>Soon?" in desk.get(page_url(enquiry)).content.decode()
