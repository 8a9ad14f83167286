"""Staff offer other times with a rejection, through the API and in the admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings.machine import State
from backend.bookings.models import Alternative
from backend.people.models import Psychologist
from tests.support import api, scenarios, working_hours
from tests.support.admin_site import action_url, form_of, owner
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI
from tests.support.staff_api import desk

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist()


def offers(who: Psychologist, now: datetime, number: int) -> list[dict[str, object]]:
    return [{"psychologist_id": who.pk, "slot_start": (now + (n + 3) * DAY).isoformat()} for n in range(number)]


def test_the_api_rejects_with_and_without_times(who: Psychologist, now: datetime) -> None:
    staff, plain, offering = desk(), scenarios.pending(RAVI, now=now), scenarios.pending(now=now)
    assert api.done(staff.act(plain, "reject"))["status"] == State.REJECTED
    given = {"note_to_visitor": "Sorry.", "alternatives": offers(who, now, 3)}
    assert api.done(staff.act(offering, "reject", given))["status"] == State.REJECTED
    assert Alternative.objects.filter(booking=offering).count() == Alternative.objects.count() == 3


def test_the_api_refuses_what_cannot_be_offered(who: Psychologist, now: datetime) -> None:
    staff, booking = desk(), scenarios.pending(now=now)
    scenarios.approved(RAVI, now=now, who=who, at=now + 3 * DAY)
    unchanged = everything()

    def reject(*alternatives: object, **more: object) -> Any:
        return staff.act(booking, "reject", {"alternatives": list(alternatives), **more})

    assert api.error(reject(*offers(who, now, 1)), 409, "slot_taken")["free_slots"]
    api.error(reject(*offers(who, now, 4)), 400, "too_many_alternatives")
    for wrong in ("tomorrow", {}, {"psychologist_id": who.pk}, None):
        api.error(reject(wrong), 400, "invalid")
    api.error(staff.act(booking, "reject", {"alternatives": "x"}), 400, "invalid")
    early = {"psychologist_id": who.pk, "slot_start": (now + 3 * DAY - 4 * HOUR).isoformat()}
    api.error(reject(early), 409, "outside_hours")
    assert everything() == unchanged
    api.done(reject(early, despite_hours=True))


def test_a_minor_needs_consent_before_times_are_offered(who: Psychologist, now: datetime) -> None:
    staff, booking = desk(), scenarios.pending(now=now, age=16)
    given = {"alternatives": offers(who, now, 1)}
    api.error(staff.act(booking, "reject", given), 409, "guardian_consent_required")
    api.done(staff.act(booking, "reject", {**given, **scenarios.GUARDIAN_SENT}))


def test_the_form_lists_free_times_and_offers_those_that_are_chosen(who: Psychologist, now: datetime) -> None:
    browser, booking = owner(), scenarios.pending(now=now)
    fields = browser.get(action_url(booking, "reject")).context["form"].fields
    free = [value for value, _ in fields["alternative_1"].choices if value]
    assert "guardian_consent" not in fields
    chosen = {"alternative_1": free[4], "alternative_2": "", "alternative_3": free[0]}
    browser.post(action_url(booking, "reject"), form_of(booking, note_to_visitor="Sorry.", **chosen))
    rows = Alternative.objects.filter(booking=booking).values_list("psychologist_id", "slot_start", "slot_end")
    expected = [datetime.fromisoformat(value.split("@")[1]) for value in (free[4], free[0])]
    assert list(rows) == [(who.pk, start, start + HOUR) for start in expected]


def test_a_time_that_went_while_the_page_was_open_is_said_beside_it(who: Psychologist, now: datetime) -> None:
    browser, booking = owner(), scenarios.pending(now=now)
    free = [
        value for value, _ in browser.get(action_url(booking, "reject")).context["form"].fields["alternative_1"].choices
    ]
    scenarios.approved(RAVI, now=now, who=who, at=datetime.fromisoformat(free[1].split("@")[1]))
    answer = browser.post(action_url(booking, "reject"), form_of(booking, alternative_1=free[1]))
    assert answer.status_code == 400
    assert answer.context["form"].errors["alternative_1"] == ["This time is not free any more. Choose another."]
    assert scenarios.again(booking).state == State.PENDING


def test_without_working_hours_the_form_offers_nothing(now: datetime) -> None:
    scenarios.psychologist()
    browser, booking = owner(), scenarios.pending(now=now, age=16)
    assert list(browser.get(action_url(booking, "reject")).context["form"].fields) == ["note_to_visitor"]


def test_the_form_asks_for_the_guardians_consent_where_times_are_offered(who: Psychologist, now: datetime) -> None:
    browser, booking = owner(), scenarios.pending(now=now, age=16)
    form = browser.get(action_url(booking, "reject")).context["form"]
    typed = form_of(booking, alternative_1=form.fields["alternative_1"].choices[1][0])
    answer = browser.post(action_url(booking, "reject"), typed)
    assert list(answer.context["form"].errors) == ["guardian_consent"]
    browser.post(action_url(booking, "reject"), {**typed, **scenarios.GUARDIAN_TYPED})
    assert scenarios.again(booking).state == State.REJECTED
