"""Nothing can be asked of a list in the admin but what it offers, and no page tells which ids exist."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.db.models import Field
from django.test import RequestFactory
from django.urls import reverse

from backend.accounts.roles import Role
from backend.bookings.models import Booking, LedgerEntry
from backend.core.personal_data import Sensitivity, personal_columns
from backend.outbox.models import Message
from tests.support import roles, scenarios
from tests.support.admin_site import list_url, logged_in

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PAGES = list(admin.site._registry.values())
GUESSES = ("startswith", "contains", "regex", "gt", "lte", "in", "range")


def columns(page: ModelAdmin[Any]) -> Iterator[str]:
    """Of the model, and of what a foreign key leads to."""
    for field in page.model._meta.get_fields():
        yield field.name
        if isinstance(field, Field) and field.related_model is not None:
            yield from (f"{field.name}__{beyond.name}" for beyond in field.related_model._meta.get_fields())


def test_a_list_takes_what_its_filters_ask_and_nothing_else() -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("owner")
    for page in PAGES:
        filters = page.get_changelist_instance(request).filter_specs
        wanted = {name for one in filters for name in one.expected_parameters() if name}  # type: ignore[attr-defined]
        assert all(page.lookup_allowed(name, "1", request) for name in wanted), page
        offered = {one if isinstance(one, str) else one[0] for one in page.list_filter if not isinstance(one, type)}
        guesses = [f"{column}__{guess}" for column in columns(page) for guess in GUESSES]
        guesses += [column for column in columns(page) if column not in offered]
        assert [guess for guess in guesses if page.lookup_allowed(guess, "1", request)] == [], page


@pytest.mark.parametrize(
    ("role", "model", "lookup"),
    [
        (Role.RECEPTIONIST, Booking, "phone_number__startswith"),
        (Role.RECEPTIONIST, Booking, "emergency_contact__contains"),
        (Role.RECEPTIONIST, Booking, "phone_number"),
        (Role.OPERATOR, Message, "context__name__startswith"),
        (Role.AUDITOR, LedgerEntry, "booking__phone_number__startswith"),
    ],
)
def test_a_masked_column_cannot_be_guessed_by_a_filter(role: Role, model: Any, lookup: str, now: datetime) -> None:
    scenarios.pending(now=now)
    browser = logged_in(roles.account(role))
    assert browser.get(list_url(model)).status_code == 200
    assert browser.get(list_url(model), {lookup: "9"}).status_code == 400


def test_no_page_searches_what_it_may_have_to_mask() -> None:
    """Clients are seen whole by who sees them; the search of bookings is `backend.bookings.search`."""
    found = {
        (page.model.__name__, name)
        for page in PAGES
        for name in personal_columns(page.model, Sensitivity.SENSITIVE)
        if name in {field.strip("^=@").partition("__")[0] for field in page.search_fields}
    }
    assert found == {("Client", "phone_number"), ("Booking", "phone_number")}


def test_what_one_may_not_see_answers_as_what_does_not_exist(now: datetime) -> None:
    roles.world(now)
    stranger = logged_in(User.objects.create_user("new", is_staff=True))
    for page in PAGES:
        there = page.model._default_manager.values_list("pk", flat=True).first() or "1"
        for view in ("change", "history", "delete"):
            name = f"admin:{page.model._meta.app_label}_{page.model._meta.model_name}_{view}"
            answers = [stranger.get(reverse(name, args=[pk])) for pk in (there, 10**9, "x")]
            assert {answer.status_code for answer in answers} == {404}, name


def test_an_owner_is_told_of_a_missing_row_with_404() -> None:
    owner = logged_in(User.objects.create_superuser("owner"))
    for view in ("change", "history", "delete"):
        assert owner.get(reverse(f"admin:outbox_message_{view}", args=[10**9])).status_code == 404
