"""An hour marked busy from the calendar, and free again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from backend.people.models import Psychologist, TimeOff
from backend.scheduling.free_slots import SlotSearch, free_slots
from tests.support import scenarios, working_hours
from tests.support.admin_site import clerk, logged_in, owner

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock")]
TOMORROW = {"day": "2026-11-24", "start": "10:00", "end": "11:00"}


def typed(who: Psychologist, **changes: str) -> dict[str, str]:
    return {"psychologist": str(who.pk), "note": "", **TOMORROW, **changes}


def offered(who: Psychologist, now: datetime) -> set[str]:
    zone = timedelta(hours=5, minutes=30)
    found = free_slots(SlotSearch(now, now + timedelta(days=2)), now=now)
    return {f"{slot.start + zone:%d %H:%M}" for slot in found if slot.psychologist_id == who.pk}


def test_what_is_marked_is_offered_to_nobody_until_it_is_free_again(now: datetime) -> None:
    who, desk = working_hours.psychologist(hours="10:00 18:00"), owner()
    assert "24 10:00" in offered(who, now)
    assert "is busy from" in desk.post(reverse("desk:busy"), typed(who)).json()["told"]
    assert "24 10:00" not in offered(who, now)
    shown = desk.get(reverse("desk:busy"), {"start": "2026-11-24T10:00", "psychologist": who.pk}).content.decode()
    assert "Free again" in shown
    desk.post(reverse("desk:free", args=[TimeOff.objects.get().pk]))
    assert "24 10:00" in offered(who, now)


def test_without_a_chosen_place_a_whole_hour_is_proposed(now: datetime) -> None:
    working_hours.psychologist()
    form = owner().get(reverse("desk:busy")).context["form"]
    start, end = form["start"].initial, form["end"].initial
    assert (start.minute, end.minute) == (0, 0)
    assert end.hour - start.hour == 1


def test_over_a_session_it_is_refused_and_leads_to_away(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 18:00")
    booking = scenarios.approved(now=now, who=who, at=now + timedelta(hours=24, minutes=30))  # at half past ten
    answer = owner().post(reverse("desk:busy"), typed(who))
    assert answer.status_code == 409
    assert str(booking) in answer.content.decode()
    away = reverse("admin:people_psychologist_away", args=[who.pk])
    assert f"{away}?start_0=2026-11-24&amp;start_1=10%3A00" in answer.content.decode()
    assert not TimeOff.objects.exists()


@pytest.mark.parametrize(("changes", "says"), [({"end": "10:00"}, "after the start"), ({"psychologist": "999"}, "")])
def test_what_is_no_time_or_nobody_is_refused(changes: dict[str, str], says: str, now: datetime) -> None:
    answer = owner().post(reverse("desk:busy"), typed(working_hours.psychologist(), **changes))
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not TimeOff.objects.exists()


def test_a_psychologist_marks_their_own_time_and_nobody_elses(now: datetime) -> None:
    user = User.objects.create_user("anita", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_own_booking"))
    own = working_hours.psychologist("Dr. Own", email="own@example.org", user=user)
    other = working_hours.psychologist("Dr. Other", email="other@example.org")
    browser = logged_in(user)
    assert browser.post(reverse("desk:busy"), typed(own)).status_code == 200
    assert browser.post(reverse("desk:busy"), typed(other)).status_code == 400
    row = TimeOff.objects.create(psychologist=other, starts_at=now + timedelta(days=3), ends_at=now + timedelta(days=4))
    assert browser.post(reverse("desk:free", args=[row.pk])).status_code == 404
    assert browser.post(reverse("desk:free", args=[TimeOff.objects.get(psychologist=own).pk])).status_code == 200


def test_who_may_send_nobody_away_has_no_such_page(now: datetime) -> None:
    browser = clerk("auditor", "view_booking")
    assert browser.get(reverse("desk:busy")).status_code == 404
