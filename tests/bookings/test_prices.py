"""Who treats people does not set what the practice asks for it: their bookings cost the psychologist's fee."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from backend.accounts.roles import Role
from backend.bookings.models import Booking
from tests.support import api, roles, scenarios, staff_api
from tests.support.admin_site import action_url, logged_in, session_form
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
NEXT_WEEK = {"count": 1, "amount": "0.00"}


def api_of(user: User) -> Desk:
    return Desk(user, staff_api.token(user))


@pytest.fixture
def psychologist() -> User:
    return roles.account(Role.DUTY_PSYCHOLOGIST, who=scenarios.psychologist())


def test_a_psychologist_books_the_next_session_at_the_fee_alone(psychologist: User, now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now, who=psychologist.psychologist), api_of(psychologist)
    refused = api.error(desk.act(booking, "follow-up", NEXT_WEEK), 400, "invalid")
    assert set(refused["errors"]) == {"amount"}
    assert not Booking.objects.filter(follows=booking).exists()
    [session] = api.done(desk.act(booking, "follow-up", {"count": 1}))["sessions"]
    assert session["amount"] == "1500.00"


def test_a_psychologist_approves_at_the_fee_alone(psychologist: User, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    start = (now + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    chosen = {"psychologist_id": who.pk, "slot_start": start, "amount": "0.00"}
    api.error(api_of(psychologist).act(booking, "approve", chosen), 400, "invalid")
    browser = logged_in(psychologist)
    assert "amount" not in browser.get(action_url(booking, "approve")).context["form"].fields
    browser.post(action_url(booking, "approve"), session_form(booking, who, amount="0"))
    assert scenarios.again(booking).amount_paise == 150_000


def test_the_page_for_the_next_sessions_takes_no_price_of_a_psychologist(psychologist: User, now: datetime) -> None:
    booking, browser = scenarios.confirmed(now=now, who=psychologist.psychologist), logged_in(psychologist)
    assert "amount" not in browser.get(action_url(booking, "follow_up")).context["form"].fields
    manager = logged_in(roles.account(Role.MANAGER))
    assert "amount" in manager.get(action_url(booking, "follow_up")).context["form"].fields


def test_who_decides_about_every_booking_sets_prices(now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now), api_of(roles.account(Role.RECEPTIONIST))
    [session] = api.done(desk.act(booking, "follow-up", NEXT_WEEK))["sessions"]
    assert session["amount"] == "0.00"
