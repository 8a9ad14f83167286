"""An owner begins and stops the erasure of a client who told us; and a client without bookings is deleted whole."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import Settings

from backend.accounts.roles import Role
from backend.bookings import policy
from backend.bookings.lifecycle import erasure, erasure_requests, front_desk, timers
from backend.bookings.models import Booking, DataRequest, RequestState
from backend.bookings.notices import Notice
from backend.outbox.models import Message, MessageState
from backend.people.models import Client
from tests.support import erasures, factories, roles, scenarios
from tests.support.admin_site import list_url, logged_in, owner, page_url

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def url(client: Client) -> str:
    return reverse("admin:people_client_erase", args=[client.pk])


def client_of(booking: Booking) -> Client:
    client = scenarios.again(booking).client
    assert client is not None
    return client


def test_an_owner_begins_it_and_the_person_can_stop_it(now: datetime) -> None:
    client, browser = client_of(scenarios.rejected(now=now)), owner("asha")
    assert url(client) in browser.get(page_url(client)).content.decode()
    assert "They have 7 days to change their mind" in browser.get(url(client)).content.decode()
    for _ in range(2):
        assert browser.post(url(client)).status_code == 302
    request = DataRequest.objects.get()
    assert (request.state, request.due_at) == (RequestState.WAITING, now + policy.ERASURE_AFTER)
    assert request.asked_by == "staff:asha"
    link = erasures.erasure_token(request, Notice.ERASURE_PLANNED)
    assert erasure_requests.stop_erasure(link, now=now).state == RequestState.STOPPED


def test_what_a_person_began_on_the_page_goes_on_and_can_be_stopped_here(now: datetime) -> None:
    booking, browser = scenarios.rejected(now=now), owner()
    request = erasures.asked(booking, now=now)
    browser.post(url(client_of(booking)))
    request.refresh_from_db()
    assert (request.state, request.asked_by) == (RequestState.WAITING, "visitor")
    assert "Stop it" in browser.get(url(client_of(booking))).content.decode()
    browser.post(url(client_of(booking)), {"stop": "1"})
    request.refresh_from_db()
    assert request.state == RequestState.STOPPED


def test_password_and_factor_are_asked_for_again_and_a_manager_meets_no_such_page(
    now: datetime, settings: Settings
) -> None:
    client = client_of(scenarios.rejected(now=now))
    assert logged_in(roles.account(Role.MANAGER)).post(url(client)).status_code == 404
    browser = logged_in(User.objects.create_superuser("desk"))
    settings.LOGIN_FRESH = timedelta(seconds=-1)
    answer = browser.post(url(client))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("desk:confirm"))
    assert not DataRequest.objects.exists()


def test_what_was_asked_and_what_became_of_it_stays_on_a_list(now: datetime) -> None:
    factories.make_data_request(RequestState.DONE, now=now, client=None, asked_by="staff:meera")
    request, browser = DataRequest.objects.get(), owner()
    listed = browser.get(list_url(DataRequest)).content.decode()
    for said in ("Erase the data", "Done", "meera", str(request.booking), "Sun 21 Feb 2027"):
        assert said in listed
    assert browser.get(page_url(request)).status_code == 200
    assert browser.post(reverse("admin:bookings_datarequest_delete", args=[request.pk])).status_code == 404


def test_a_caller_without_an_address_is_erased_with_all_that_was_to_be_told(now: datetime) -> None:
    draft = scenarios.draft_of("", now=now, payment_mode="OFFLINE")
    booking = front_desk.create_by_staff(draft, actor="staff:desk", now=now).booking
    timers.close_unanswered(booking.pk, now=booking.due_at)
    assert Message.objects.filter(recipient="", state=MessageState.WAITING).exists()
    request = erasure_requests.record_erasure(client_of(booking).pk, actor="staff:desk", now=booking.due_at)
    assert request.due_at is not None
    erasure.carry_out(request.pk, now=request.due_at)
    assert scenarios.again(booking).full_name == ""
    assert not Client.objects.exists()
    assert not Message.objects.filter(recipient="", state=MessageState.WAITING).exists()
    assert not Message.objects.filter(kind__startswith="erasure").exists()


def test_a_client_without_a_booking_is_deleted_with_all_earlier_versions(now: datetime) -> None:
    client, browser = factories.make_client(now=now), owner()
    client.city = "Nagpur"
    client.save()
    browser.post(url(client))
    assert not DataRequest.objects.exists()
    browser.post(reverse("admin:people_client_delete", args=[client.pk]), {"post": "yes"})
    assert not Client.objects.exists()
    assert not Client.history.exists()
