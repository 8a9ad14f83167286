"""Whatever staff are shown of people is recorded before it leaves: who, when, of whom, and no word of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection
from django.test import Client as Browser

from backend.accounts.roles import Role
from backend.audit import records
from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import only_subject, parse, to_text
from backend.bookings.lifecycle import approval
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.people.models import Client, Enquiry
from tests.support import api, factor, factories, scenarios, staff_api
from tests.support.admin_site import action_url, clerk, list_url, page_url
from tests.support.roles import account
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MESSAGE, CONTACT, NUMBER, NOTE = "I sleep badly.", "Vikram Rao 9876500000", "9876543210", "We are full."
WORDS = {"user_message": MESSAGE, "emergency_contact": CONTACT, "phone_number": NUMBER, "note_to_visitor": NOTE}


@pytest.fixture
def booking(now: datetime) -> Booking:
    made = scenarios.pending(now=now, user_message=MESSAGE)
    approval.reject(made.pk, note_to_visitor=NOTE, actor="staff:desk", now=now)
    return scenarios.again(made)


def shown_since(before: int) -> dict[str, set[int]]:
    """Of the one record that came since."""
    row = AccessRecord.objects.get(pk__gt=before)
    assert (row.kind, row.actor) == (Kind.OPENED, "staff:desk")
    return parse(row.shown)


PAGES: dict[str, Callable[[Booking], str]] = {
    "its page": page_url,
    "the panel": lambda booking: action_url(booking, "panel"),
    "an action": lambda booking: action_url(booking, "cancel"),
    "the caller's form": lambda booking: f"/admin/bookings/booking/new/?like={booking.pk}",
    "the client's page": lambda booking: page_url(booking.client),
    "the client's versions": lambda booking: f"{page_url(booking.client).removesuffix('change/')}history/",
    "the clients": lambda _booking: list_url(Client),
    "the staff API": lambda booking: f"/api/staff/bookings/{booking}/",
    "the staff API's list": lambda _booking: "/api/staff/bookings/",
}


@pytest.mark.parametrize("place", PAGES)
def test_what_a_page_shows_is_recorded_once(place: str, booking: Booking, desk: Browser, staff_token: Desk) -> None:
    if place == "an action":
        booking = scenarios.pending("ravi@example.org", now=booking.created_at, user_message=MESSAGE)
    if place == "the client's versions":
        booking.client.emergency_contact = ""
        booking.client.save()
    before, url = AccessRecord.objects.latest("pk").pk, PAGES[place](booking)
    answer = staff_token.get(url) if url.startswith("/api/") else desk.get(url)
    assert answer.status_code == 200
    text, shown = answer.content.decode(), shown_since(before)
    ids = {"booking": booking.pk, "client": booking.client_id}
    stands = {name for name, words in WORDS.items() if words in text}
    assert stands, "this page shows nothing: leave it out"
    recorded = {name.partition(".")[2] for name, pks in shown.items() if ids[name.partition(".")[0]] in pks}
    assert recorded >= stands


@pytest.fixture
def staff_token(desk: Browser) -> Desk:
    user = User.objects.get(username="desk")
    return Desk(user, staff_api.token(user))


def test_no_word_and_no_address_stands_in_a_record(booking: Booking, desk: Browser) -> None:
    desk.get(page_url(booking))
    desk.get(list_url(Booking), {"q": "asha@example.org"})
    desk.get("/admin/bookings/booking/export/")
    told = repr(list(AccessRecord.objects.values()))
    assert not [word for word in (*WORDS.values(), "asha", "Asha", str(booking)) if word in told]


def test_a_search_an_export_and_an_enquiry_are_recorded_with_the_ids_shown(
    booking: Booking, now: datetime, desk: Browser
) -> None:
    other = scenarios.pending("ravi@example.org", now=now)
    desk.get(list_url(Booking), {"q": "asha@example.org"})
    row = AccessRecord.objects.latest("pk")
    assert (row.kind, row.page, parse(row.shown)) == (
        Kind.SEARCHED,
        "admin:bookings_booking_changelist",
        {"booking.row": {booking.pk}},
    )
    desk.get(list_url(Booking), {"q": "nobody@example.org"})  # that somebody asked counts, too
    assert AccessRecord.objects.latest("pk").kind == Kind.SEARCHED
    desk.get("/admin/bookings/booking/export/")
    row = AccessRecord.objects.latest("pk")
    both = {booking.pk, other.pk}
    assert (row.kind, parse(row.shown)) == (Kind.EXPORTED, {"booking.row": both, "booking.phone_number": both})
    enquiry = factories.make_enquiry(now=now)
    desk.get(list_url(Enquiry))
    desk.get(page_url(enquiry))
    assert parse(AccessRecord.objects.latest("pk").shown) == {"enquiry.text": {enquiry.pk}}


def test_who_sees_a_number_masked_is_not_said_to_have_seen_it(booking: Booking) -> None:
    reader = clerk("reader", "view_booking", "change_booking")
    before = AccessRecord.objects.latest("pk").pk
    page = reader.get(page_url(booking)).content.decode()
    reader.get(f"/admin/bookings/booking/new/?like={booking.pk}")
    assert "•••••••210" in page
    assert [parse(row.shown) for row in AccessRecord.objects.filter(pk__gt=before)] == [
        {"booking.note_to_visitor": {booking.pk}}
    ]


def test_what_shows_nothing_of_anybody_leaves_no_record(booking: Booking, desk: Browser) -> None:
    before = AccessRecord.objects.count()
    desk.get("/admin/bookings/booking/")
    desk.get(list_url(Enquiry))
    api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id})
    assert AccessRecord.objects.count() == before


@pytest.mark.parametrize("through", ["desk", "api"])
def test_what_cannot_be_recorded_is_not_shown(
    through: str, booking: Booking, desk: Browser, staff_token: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise DatabaseError("no room")

    monkeypatch.setattr(records.AccessRecord.objects, "create", broken)
    answer = desk.get(page_url(booking)) if through == "desk" else staff_token.get(f"{booking}/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert not [word for word in WORDS.values() if word in answer.content.decode()]


def test_a_page_costs_one_insert_more(booking: Booking, desk: Browser, django_assert_num_queries: Any) -> None:
    desk.get(page_url(booking))
    with connection.execute_wrapper(_counting(written := [])):
        desk.get(page_url(booking))
    assert [sql.split()[2] for sql in written] == ['"audit_accessrecord"']


def _counting(written: list[str]) -> Callable[..., Any]:
    def run(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT"):
            written.append(sql)
        return execute(sql, *rest)

    return run


# -- log-ins and rights ------------------------------------------------------------------------------------------------


def test_a_log_in_is_recorded_at_both_doors() -> None:
    user = staff_api.account("asha", password=staff_api.PASSWORD)
    typed = {"username": "asha", "password": staff_api.PASSWORD}
    assert Browser().post("/admin/login/", {**typed, "next": "/admin/"}).status_code == 302
    api.done(api.post("/api/staff/login/", {**typed, "otp": factor.app_of(user).code()}))
    found = AccessRecord.objects.filter(kind=Kind.LOGGED_IN).order_by("pk")
    assert [(row.actor, row.subject, row.subject_id) for row in found] == [("staff:asha", "user", user.pk)] * 2
    assert [row.page for row in found] == ["admin:login", "api/staff/login/"]


def test_a_change_of_rights_is_recorded_with_whoever_made_it(desk: Browser) -> None:
    user = account(Role.RECEPTIONIST, "asha")  # by a command, as it were
    group = Group.objects.get(name=Role.MANAGER)
    before = AccessRecord.objects.latest("pk")
    assert (before.kind, before.actor) == (Kind.RIGHTS_CHANGED, "system")
    typed = {"do": "role", "role": group.name}
    assert desk.post(f"/admin/account/colleagues/{user.pk}/", typed).status_code == 302
    found = AccessRecord.objects.filter(pk__gt=before.pk, kind=Kind.RIGHTS_CHANGED)
    assert {(row.actor, row.subject, row.subject_id) for row in found} == {("staff:desk", "user", user.pk)}
    count = AccessRecord.objects.filter(kind=Kind.RIGHTS_CHANGED).count()
    user.refresh_from_db()
    user.first_name = "Asha"
    user.save()
    assert AccessRecord.objects.filter(kind=Kind.RIGHTS_CHANGED).count() == count
    user.is_superuser = True
    user.save()
    group.permissions.clear()
    assert AccessRecord.objects.filter(kind=Kind.RIGHTS_CHANGED).count() == count + 2


# -- as text -----------------------------------------------------------------------------------------------------------


def test_ids_are_written_so_that_each_can_be_looked_for() -> None:
    shown = {"booking.user_message": {12}, "booking.phone_number": {12, 3}}
    text = to_text(shown)
    assert text == "booking.phone_number 3 12 ;booking.user_message 12 ;"
    assert (parse(text), parse("")) == (shown, {})
    assert only_subject(shown) is None
    assert only_subject({"booking.row": [3], "booking.user_message": [3]}) == ("booking", 3)


def test_what_is_read_for_the_work_alone_is_not_noted(booking: Booking) -> None:
    with disclosures.listening() as heard:
        with disclosures.unseen():
            assert scenarios.again(booking).user_message == MESSAGE
        assert not heard
        assert scenarios.again(booking).user_message == MESSAGE
    assert heard.ids == {"booking.user_message": {booking.pk}}
