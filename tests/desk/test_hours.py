"""Staff edit hours and time off on a psychologist's page; bad rules are refused beside the field they are in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse

from backend.accounts.roles import Role
from backend.people.models import Language, Location, Psychologist, Specialization, TimeOff, WorkingHours
from tests.support import roles, scenarios, working_hours
from tests.support.admin_site import clerk, logged_in, page_url, psychologist_form
from tests.support.psychologist_page import errors, hours, off, save
from tests.support.working_hours import WEDNESDAY, at

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]

MONDAY = {"weekday": 0, "starts_at": "10:00", "ends_at": "18:00", "offers": "ONLINE"}


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="")


# -- hours -------------------------------------------------------------------------------------------------------------


def test_hours_of_weeks_and_of_single_days_are_typed_in_one_list(desk: Browser, who: Psychologist) -> None:
    second = {**MONDAY, "starts_at": "19:00", "ends_at": "00:00"}
    once = {"day": "2026-11-28", "starts_at": "09:00", "ends_at": "12:00", "offers": "BOTH"}
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    assert save(desk, who, hours(MONDAY, second, {**once, "location": place.pk})).status_code == 302
    kept = WorkingHours.objects.order_by("pk").values_list(
        "weekday", "day", "starts_at", "ends_at", "offers", "location"
    )
    assert list(kept) == [
        (0, None, time(10), time(18), "ONLINE", None),
        (0, None, time(19), time(0), "ONLINE", None),
        (None, date(2026, 11, 28), time(9), time(12), "BOTH", place.pk),
    ]
    page = desk.get(page_url(who)).content.decode()
    assert 'value="2026-11-28"' in page


def test_a_week_of_hours_is_one_row(desk: Browser, who: Psychologist) -> None:
    row = hours(MONDAY) | {"working_hours-0-also_on": ["0", "1", "4"]}
    assert save(desk, who, row).status_code == 302
    kept = WorkingHours.objects.order_by("weekday").values_list("weekday", "starts_at", "ends_at")
    assert list(kept) == [(day, time(10), time(18)) for day in (0, 1, 4)]
    first = WorkingHours.objects.earliest("pk")
    again = {**MONDAY, "id": first.pk, "psychologist": who.pk}
    stored = [{**again, "id": each.pk, "weekday": each.weekday} for each in WorkingHours.objects.order_by("pk")]
    more = hours(*stored, stored=3) | {"working_hours-0-also_on": ["1"]}
    assert errors(save(desk, who, more)) == [{"also_on"}, set(), set()]
    assert WorkingHours.objects.count() == 3
    more = hours(*stored, stored=3) | {"working_hours-0-also_on": ["2"]}
    assert save(desk, who, more).status_code == 302
    assert WorkingHours.objects.filter(weekday=2, starts_at=time(10)).count() == 1


def test_hours_of_a_single_day_are_copied_nowhere(desk: Browser, who: Psychologist) -> None:
    once = {**MONDAY, "weekday": "", "day": "2026-11-28"}
    assert errors(save(desk, who, hours(once) | {"working_hours-0-also_on": ["1"]})) == [{"also_on"}]


@pytest.mark.parametrize(
    ("sent", "fields", "says"),
    [
        ({}, {}, ["no working hours"]),
        (hours(MONDAY), {}, []),
        (hours(MONDAY), {"meeting_link": ""}, ["no meeting link"]),
        ({}, {"meeting_link": ""}, ["no working hours", "no meeting link"]),
        ({}, {"is_active": ""}, []),
    ],
)
def test_saving_somebody_whom_nobody_can_book_warns(
    sent: dict[str, str], fields: dict[str, str], says: list[str], desk: Browser, who: Psychologist
) -> None:
    save(desk, who, sent, **fields)
    page = desk.get(page_url(who)).content.decode()
    assert page.count("Nobody can book") == len(says)
    assert all(f"There is {word}" in page or f"There are {word}" in page for word in says)


def test_a_new_psychologist_is_typed_with_hours_place_languages_and_terms(desk: Browser) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    hindi, grief = Language.objects.create(name="Hindi"), Specialization.objects.create(name="Grief")
    sent = {
        "full_name": "Dr. Rao",
        "email": "rao@example.org",
        "is_active": "on",
        "location": place.pk,
        "languages": [hindi.pk],
        "specializations": [grief.pk],
        "registration_number": "CRR A12345",
        "time_zone": "Europe/London",
        "session_minutes": "50",
        "buffer_minutes": "10",
        "notice_hours": "48",
        "horizon_days": "30",
        **psychologist_form(),
        **hours({**MONDAY, "offers": "OFFLINE"}),  # at the place that is typed above
    }
    assert desk.post(reverse("admin:people_psychologist_add"), sent).status_code == 302
    made = Psychologist.objects.get()
    assert (made.time_zone, made.session_minutes, made.buffer_minutes) == ("Europe/London", 50, 10)
    assert (made.notice_hours, made.horizon_days, made.registration_number) == (48, 30, "CRR A12345")
    assert [*made.languages.all(), *made.specializations.all()] == [hindi, grief]
    assert made.working_hours.get().offers == "OFFLINE"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({**MONDAY, "ends_at": "09:00"}, {"ends_at"}),
        ({**MONDAY, "ends_at": "10:00"}, {"ends_at"}),
        ({**MONDAY, "starts_at": "25:00"}, {"starts_at"}),
        ({**MONDAY, "weekday": 7}, {"weekday"}),
        ({**MONDAY, "weekday": ""}, {"weekday"}),
        ({**MONDAY, "day": "2026-11-28"}, {"weekday"}),
        ({**MONDAY, "offers": "BY_MAIL"}, {"offers"}),
        ({**MONDAY, "offers": "OFFLINE"}, {"location"}),
        ({**MONDAY, "offers": "BOTH"}, {"location"}),
    ],
)
def test_a_bad_row_is_refused_beside_its_field(
    row: dict[str, object], wrong: set[str], desk: Browser, who: Psychologist
) -> None:
    assert errors(save(desk, who, hours(row))) == [wrong]
    assert not WorkingHours.objects.exists()


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        ({**MONDAY, "starts_at": "17:59", "ends_at": "20:00"}, True),
        ({**MONDAY, "starts_at": "18:00", "ends_at": "20:00"}, False),
        ({**MONDAY, "starts_at": "08:00", "ends_at": "10:00"}, False),
        ({**MONDAY, "starts_at": "08:00", "ends_at": "00:00"}, True),
        ({**MONDAY, "starts_at": "10:00", "ends_at": "11:00"}, True),
        ({**MONDAY, "weekday": 1}, False),
        ({**MONDAY, "weekday": "", "day": "2026-11-30"}, True),  # a Monday
        ({**MONDAY, "weekday": "", "day": "2026-12-01"}, False),
    ],
)
def test_hours_that_overlap_others_of_their_day_are_refused(
    other: dict[str, object], overlaps: bool, desk: Browser, who: Psychologist
) -> None:
    answer = save(desk, who, hours(MONDAY, other))
    if overlaps:
        assert errors(answer) == [set(), {"starts_at"}]
        assert "These hours overlap those of Monday 10:00 to 18:00." in answer.content.decode()
    assert WorkingHours.objects.count() == (0 if overlaps else 2)


def test_rows_are_judged_as_they_will_be_and_not_as_they_were(desk: Browser, who: Psychologist) -> None:
    working_hours.weekly(who, "10:00 12:00", (0,))
    working_hours.weekly(who, "14:00 16:00", (0,))
    first, second = WorkingHours.objects.order_by("pk")
    swapped = (
        {**MONDAY, "id": first.pk, "starts_at": "14:00", "ends_at": "16:00"},
        {**MONDAY, "id": second.pk, "starts_at": "10:00", "ends_at": "12:00"},
    )
    assert save(desk, who, hours(*swapped, stored=2)).status_code == 302
    gone = {**swapped[0], "DELETE": "on"}
    assert save(desk, who, hours(gone, {**swapped[1], "ends_at": "18:00"}, stored=2)).status_code == 302
    assert [str(row) for row in WorkingHours.objects.all()] == ["Monday 10:00 to 18:00"]


def test_the_model_itself_refuses_what_the_page_refuses(who: Psychologist) -> None:
    def row(**fields: Any) -> WorkingHours:
        given = {"weekday": 0, "starts_at": time(10), "ends_at": time(18), "psychologist": who, **fields}
        return WorkingHours(**given)

    row().full_clean()
    row().save()
    for fields, wrong in (
        ({"ends_at": time(9)}, "ends_at"),
        ({"weekday": 0, "starts_at": time(17), "ends_at": time(19)}, "starts_at"),
        ({"weekday": None, "day": date(2026, 11, 30)}, "starts_at"),
        ({"day": date(2026, 11, 28)}, "weekday"),
        ({"weekday": 1, "offers": "OFFLINE"}, "location"),
    ):
        with pytest.raises(ValidationError) as refused:
            row(**fields).full_clean()
        assert wrong in refused.value.message_dict


@pytest.mark.parametrize("fields", [{"ends_at": time(9)}, {"weekday": None}, {"day": WEDNESDAY}])
def test_the_database_refuses_rows_that_mean_nothing(fields: dict[str, Any], who: Psychologist) -> None:
    given = {"weekday": 0, "starts_at": time(10), "ends_at": time(18), **fields}
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkingHours.objects.create(psychologist=who, **given)


def test_an_unknown_zone_is_refused_by_the_model(who: Psychologist) -> None:
    who.time_zone = "Mars/Olympus"
    with pytest.raises(ValidationError) as refused:
        who.full_clean()
    assert set(refused.value.message_dict) == {"time_zone"}


def test_hours_of_a_day_that_is_over_leave_the_page_and_stay_in_the_database(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    working_hours.extra(who, now.date() - timedelta(days=30), "10:00 12:00")
    assert 'value="2026-10-24"' not in desk.get(page_url(who)).content.decode()
    assert save(desk, who, {}).status_code == 302
    assert WorkingHours.objects.count() == 1


def test_every_edit_of_hours_is_kept_in_the_history(desk: Browser, who: Psychologist) -> None:
    save(desk, who, hours(MONDAY))
    assert WorkingHours.history.get().history_user.username == "desk"


def test_who_may_only_look_sees_the_hours_and_changes_nothing(who: Psychologist) -> None:
    working_hours.weekly(who, "10:00 12:00", (0,))
    reader = clerk("reader", "view_psychologist", "view_workinghours")
    page = reader.get(page_url(who))
    assert page.status_code == 200
    assert "Away today" not in page.content.decode()
    assert save(reader, who, {}).status_code == 404


def test_a_language_is_entered_once_whatever_its_case(desk: Browser) -> None:
    Language.objects.create(name="Hindi")
    answer = desk.post(reverse("admin:people_language_add"), {"name": "hindi"})
    assert answer.status_code == 200
    assert desk.post(reverse("admin:people_language_add"), {"name": "Marathi"}).status_code == 302
    assert desk.post(reverse("admin:people_specialization_add"), {"name": "Grief"}).status_code == 302


# -- a psychologist's own page -----------------------------------------------------------------------------------------


def test_a_psychologist_keeps_their_own_hours_and_time_off_and_changes_nothing_else(who: Psychologist) -> None:
    own = logged_in(roles.account(Role.PSYCHOLOGIST, who=who))
    busy = {"first_day": "2026-11-25", "first_time": "11:00", "last_day": "", "last_time": "12:00", "note": "dentist"}
    assert "Save" in own.get(page_url(who)).content.decode()
    assert save(own, who, {**hours(MONDAY), **off(busy)}, fee="1.00", full_name="Another", user="").status_code == 302
    assert WorkingHours.objects.get().starts_at == time(10)
    assert TimeOff.objects.get().starts_at == at("11:00")
    kept = Psychologist.objects.get()
    assert (kept.fee_paise, kept.full_name, kept.user_id) == (who.fee_paise, who.full_name, who.user_id)
    (row,) = WorkingHours.objects.all()
    gone = {**MONDAY, "id": row.pk, "psychologist": who.pk, "DELETE": "on"}
    assert save(own, who, hours(gone, stored=1)).status_code == 302
    assert not WorkingHours.objects.exists()


def test_a_psychologist_keeps_nobody_elses_hours(who: Psychologist) -> None:
    own = logged_in(roles.account(Role.PSYCHOLOGIST, who=who))
    other = scenarios.psychologist("Dr. Rao")
    assert save(own, other, hours(MONDAY)).status_code in (302, 403, 404)
    assert not WorkingHours.objects.exists()


def test_the_menu_leads_a_psychologist_to_calendar_day_list_and_bookings_and_nobody_who_sees_none(
    who: Psychologist,
) -> None:
    own = logged_in(roles.account(Role.PSYCHOLOGIST, who=who))
    page = own.get(page_url(who)).content.decode()
    operator = logged_in(roles.account(Role.OPERATOR)).get(reverse("desk:all")).content.decode()
    for name in ("desk:calendar", "desk:day", "admin:bookings_booking_changelist"):
        assert f'href="{reverse(name)}"' in page
        assert f'href="{reverse(name)}"' not in operator


def test_nobody_reads_of_requests_that_they_cannot_see_that_all_are_answered(who: Psychologist, now: datetime) -> None:
    scenarios.pending(now=now)
    page = logged_in(roles.account(Role.PSYCHOLOGIST, who=who)).get("/admin/").content.decode()
    assert "Every request is answered." not in page
    assert "No request waits for you." in page
