"""A search finds by what the searcher sees, at each door: a masked number is no answer to a guess."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import pytest

from backend.accounts.roles import Role
from tests.support import roles, scenarios, staff_api
from tests.support.admin_site import list_url, logged_in, new_booking_url
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.mark.parametrize(
    ("role", "guess", "is_found"),
    [
        (Role.RECEPTIONIST, "98765", False),
        (Role.RECEPTIONIST, "210", False),
        (Role.RECEPTIONIST, "asha 9", False),
        (Role.RECEPTIONIST, "9876543210", True),
        (Role.RECEPTIONIST, "asha", True),
        (Role.MANAGER, "98765", True),
    ],
)
def test_a_masked_number_is_found_by_the_whole_of_it_alone(
    role: Role, guess: str, is_found: bool, now: datetime
) -> None:
    booking = scenarios.pending("asha@example.org", now=now)
    user = roles.account(role)
    browser, desk = logged_in(user), Desk(user, staff_api.token(user))
    by_api = desk.get(query={"q": guess}).json()["bookings"]  # type: ignore[attr-defined]
    assert [row["acknowledgement_id"] for row in by_api] == [str(booking)] * is_found
    listed = browser.get(list_url(type(booking)), {"q": guess}).context["cl"].result_list
    assert list(listed) == [booking] * is_found
    assert ("asha@example.org" in browser.get(f"{new_booking_url()}?find={quote(guess)}").content.decode()) == is_found
