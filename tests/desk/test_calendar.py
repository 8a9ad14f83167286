"""The calendar's feeds, the question before a dragged session moves, and the day list for paper."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.bookings.intents import Intent
from backend.bookings.lifecycle.transaction import record_event
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, Mode, Outcome
from backend.desk.calendar.page import SIGNS
from backend.people.models import Psychologist
from backend.scheduling import calendar_feed
from backend.scheduling.calendar_feed import CalendarFilter, CalendarSession, ShadeKind
from tests.support import factories, scenarios, working_hours
from tests.support.admin_site import action_url, clerk, logged_in, owner, page_url, written

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]
DAY = {"start": "2026-11-24T00:00:00", "end": "2026-11-25T00:00:00"}  # the factories' sessions are at 17:30 of it
MORNING = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)  # when that day begins in Asia/Kolkata


def loaded(browser: Browser, name: str, **query: Any) -> list[Any]:
    answer = browser.get(reverse(f"desk:{name}"), {**DAY, **query})
    assert answer.status_code == 200, answer.content
    found: list[Any] = json.loads(answer.content)
    return found


def sessions(browser: Browser, **query: Any) -> list[CalendarSession]:
    """As the page's script reads the rows."""
    return [CalendarSession(*row) for row in loaded(browser, "sessions", **query)]


def drag_url(booking: Booking) -> str:
    return reverse("admin:bookings_booking_drag", args=[booking.pk])


def dragged(booking: Booking, at: str = "2026-11-25 18:00", **changes: str) -> dict[str, str]:
    """What the browser sends after a drag; times are the practice's."""
    on, _, hour = at.partition(" ")
    seen = str(scenarios.again(booking).ledger_sequence)
    return {"slot_start_0": on, "slot_start_1": hour, "psychologist": "", "seen": seen, **changes}


# -- what is loaded ----------------------------------------------------------------------------------------------------


def test_a_session_is_shown_on_the_practices_clock_with_its_state_in_words(desk: Browser, now: datetime) -> None:
    booking = factories.make_booking(State.CONFIRMED, now=now)
    (row,) = sessions(desk)
    assert (row.start, row.end) == ("2026-11-24T17:30:00", "2026-11-24T18:30:00")
    assert (row.booking_id, row.acknowledgement_id) == (booking.pk, booking.acknowledgement_id)
    assert (row.full_name, row.psychologist_id, row.mode) == ("Asha Rao", booking.psychologist_id, "ONLINE")
    assert (row.ledger_sequence, row.asked_to_cancel) == (booking.ledger_sequence, False)
    assert desk.get(reverse("desk:calendar")).context["options"]["signs"][row.state] == "✓ confirmed"


def test_a_month_of_thousands_tells_how_many_each_day_has(
    desk: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_feed, "MANY", 2)
    month = {"start": "2026-11-23T00:00:00", "end": "2027-01-04T00:00:00"}
    for number, days in enumerate((0, 0, 3)):
        factories.make_booking(
            State.CONFIRMED, now=now, email=f"v{number}@example.org", mode="OFFLINE" if days else "ONLINE",
            psychologist=scenarios.psychologist(f"Dr. {number}", email=f"p{number}@example.org"),
            slot_start=MORNING + timedelta(days=days, hours=number), slot_end=MORNING + timedelta(days=days, hours=9),
        )  # fmt: skip
        if number == 1:
            assert len(sessions(desk, **month)) == 2
    assert loaded(desk, "sessions", **month) == {"days": [["2026-11-24", 2], ["2026-11-27", 1]]}
    assert len(sessions(desk, **month, mode="ONLINE")) == 2
    assert len(sessions(desk, start="2026-11-23T00:00:00", end="2026-11-30T00:00:00")) == 3  # a week shows each


def test_who_asked_to_cancel_is_marked(desk: Browser, now: datetime) -> None:
    factories.make_booking(State.CONFIRMED, now=now, cancellation_requested_at=now)
    assert [row.asked_to_cancel for row in sessions(desk)] == [True]


def test_only_states_that_hold_or_held_a_time_are_shown(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    for state in State:
        factories.make_booking(
            state, now=now, email=f"{state.lower()}@example.org", psychologist=scenarios.psychologist(f"Dr. {state}")
        )
    factories.make_booking(
        State.PENDING, now=now, email="w@example.org", preferred_psychologist=who, preferred_slot_start=MORNING
    )
    assert {row.state for row in sessions(desk, start="2026-11-22T00:00:00")} == set(SIGNS)


def test_wishes_are_shown_and_cannot_be_dragged(desk: Browser, now: datetime) -> None:
    wish = working_hours.wish(scenarios.psychologist(), MORNING + timedelta(hours=9), now=now)
    (row,) = sessions(desk)
    options = desk.get(reverse("desk:calendar")).context["options"]
    assert (row.booking_id, options["signs"][row.state]) == (wish.pk, "? wish, not held")
    assert (row.start, row.end) == ("2026-11-24T09:00:00", "2026-11-24T10:00:00")
    assert State.CONFIRMED in options["movable"]
    assert row.state not in options["movable"]


def test_the_page_has_words_for_all_that_a_row_may_hold(desk: Browser) -> None:
    options = desk.get(reverse("desk:calendar")).context["options"]
    assert set(options["signs"]) == {*calendar_feed.STATES, State.PENDING}
    assert (set(options["outcomes"]), set(options["modes"])) == (set(Outcome), set(Mode))


def test_the_range_and_the_filters_narrow(desk: Browser, now: datetime) -> None:
    booking = factories.make_booking(State.CONFIRMED, now=now)
    assert sessions(desk, start="2026-11-24T18:00:00")  # it began before and is not over
    assert not sessions(desk, start="2026-11-24T18:30:00")
    assert not sessions(desk, end="2026-11-24T17:30:00")
    assert sessions(desk, psychologist=[booking.psychologist_id], state="CONFIRMED", mode="ONLINE")
    for narrower in ({"psychologist": 10**6}, {"state": "APPROVED"}, {"mode": "OFFLINE"}, {"state": "nonsense"}):
        assert not sessions(desk, **narrower)


@pytest.mark.parametrize(
    "query",
    [
        {}, {"start": "2026-11-24T00:00:00"}, {"start": "x", "end": "y"},
        {"start": "2026-11-24T00:00:00", "end": "2026-11-24T00:00:00"},
        {"start": "2026-01-01T00:00:00", "end": "2026-12-31T00:00:00"},
        {"start": "0001-01-01T00:00:00", "end": "0001-01-02T00:00:00"},
    ],
)  # fmt: skip
def test_a_feed_is_asked_for_a_month_at_most(desk: Browser, query: dict[str, str]) -> None:
    for name in ("sessions", "shades"):
        assert desk.get(reverse(f"desk:{name}"), query).status_code == 400


def test_the_feeds_cost_three_queries_however_much_they_show(desk: Browser, now: datetime) -> None:
    shown = CalendarFilter(MORNING - timedelta(days=3), MORNING + timedelta(days=30))
    for n in range(12):
        who = working_hours.psychologist(f"Dr. {n}", email=f"p{n}@example.org")
        working_hours.away(who, MORNING, MORNING + timedelta(hours=3))
        working_hours.wish(who, MORNING + timedelta(hours=2), now=now, email=f"w{n}@example.org")
        factories.make_booking(State.CONFIRMED, now=now, email=f"v{n}@example.org", psychologist=who)
    with CaptureQueriesContext(connection) as captured:
        assert len(calendar_feed.sessions(Booking.objects.all(), shown, now=now)) == 24
    assert len(captured.captured_queries) == 2
    for by_psychologist in (True, False):
        with CaptureQueriesContext(connection) as captured:
            assert calendar_feed.shades(shown, by_psychologist=by_psychologist)
        assert len(captured.captured_queries) == 3
    browser = logged_in(User.objects.create_superuser("second"))
    with CaptureQueriesContext(connection) as captured:
        sessions(browser)
    assert len(captured.captured_queries) == 4  # the session and the account, and the two


def test_a_visitors_text_is_data_and_never_markup(desk: Browser, now: datetime) -> None:
    booking = factories.make_booking(State.CONFIRMED, now=now, full_name="<img src=x onerror=alert(1)>")
    assert sessions(desk)[0].full_name == "<img src=x onerror=alert(1)>"  # a string, which the calendar sets as text
    panel = reverse("admin:bookings_booking_panel", args=[booking.pk])
    for page in (desk.get(panel), desk.get(drag_url(booking), dragged(booking))):
        assert page.status_code == 200
        assert "<img" not in page.content.decode()
    assert "<img src=x" not in desk.get(reverse("desk:day"), {"date": "2026-11-24"}).content.decode()


# -- what is shaded ----------------------------------------------------------------------------------------------------


def test_the_rest_of_each_psychologists_day_is_shaded(now: datetime) -> None:
    early, late = (
        working_hours.psychologist(hours="09:00 12:00"),
        working_hours.psychologist("Dr. Rao", hours="11:00 18:00"),
    )
    scenarios.psychologist("Dr. Free")  # no hours: nothing is outside of them
    day = CalendarFilter(MORNING, MORNING + timedelta(days=1))
    found = [
        (row.psychologist_id, (row.start - MORNING).total_seconds() / 3600, (row.end - MORNING).total_seconds() / 3600)
        for row in calendar_feed.shades(day, by_psychologist=True)
    ]
    assert sorted(found) == sorted([(early.pk, 0, 9), (early.pk, 12, 24), (late.pk, 0, 11), (late.pk, 18, 24)])
    assert not calendar_feed.shades(day, by_psychologist=False)  # somebody works always
    both = CalendarFilter(day.start, day.end, (early.pk, late.pk))
    together = [(row.start - MORNING, row.end - MORNING) for row in calendar_feed.shades(both, by_psychologist=False)]
    assert together == [(timedelta(0), timedelta(hours=9)), (timedelta(hours=18), timedelta(hours=24))]


def test_time_off_and_closed_days_are_shaded_and_say_why(now: datetime) -> None:
    who = scenarios.psychologist()
    off = working_hours.away(who, MORNING, MORNING + timedelta(hours=3))
    ClosedDay.objects.create(date=date(2026, 11, 24), note="Guru Nanak Jayanti")
    found = calendar_feed.shades(CalendarFilter(MORNING, MORNING + timedelta(days=1)), by_psychologist=True)
    assert [(row.kind, row.psychologist_id, row.note) for row in found] == [
        (ShadeKind.CLOSED, None, "Guru Nanak Jayanti"),
        (ShadeKind.AWAY, who.pk, off.note),
    ]
    closed, away = loaded(owner(), "shades", columns="1")
    assert (closed["title"], closed["display"]) == ("Closed: Guru Nanak Jayanti", "background")
    assert (away["end"], away["resourceIds"]) == ("2026-11-24T03:00:00", [who.pk])


# -- a drag ------------------------------------------------------------------------------------------------------------


def test_a_drag_asks_first_and_then_moves(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    with time_machine.travel(now, tick=False):
        before = written()
        question = desk.get(drag_url(booking), dragged(booking))
        assert written() == before
        assert "Wed 25 Nov 2026, 18:00 IST" in question.content.decode()
        assert "session moved" in question.content.decode()
        answer = desk.post(drag_url(booking), dragged(booking))
    assert answer.status_code == 200
    assert "Wed 25 Nov 2026, 18:00 IST" in answer.json()["told"]
    assert scenarios.again(booking).slot_start == datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
    entry = booking.ledger.order_by("sequence").last()
    assert (entry.intent, entry.actor) == ("reschedule", "staff:desk")


def test_a_drag_to_another_column_changes_the_psychologist(desk: Browser, now: datetime) -> None:
    booking, other = scenarios.confirmed(now=now), scenarios.psychologist("Dr. Rao", email="rao@example.org")
    with time_machine.travel(now, tick=False):
        assert desk.post(drag_url(booking), dragged(booking, psychologist=str(other.pk))).status_code == 200
    assert scenarios.again(booking).psychologist == other


def test_a_drag_onto_another_session_is_refused_and_changes_nothing(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    booking = scenarios.confirmed(now=now, who=who)
    scenarios.confirmed("b@example.org", now=now, who=who, at=datetime(2026, 11, 25, 12, 30, tzinfo=UTC))
    with time_machine.travel(now, tick=False):
        before = written()
        answer = desk.post(drag_url(booking), dragged(booking))
        assert answer.status_code == 409
        assert "another session at this time" in answer.content.decode()
        assert written() == before


def test_a_drag_that_would_be_refused_is_told_so_before_it_is_sent(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    booking = scenarios.confirmed(now=now, who=who)
    scenarios.confirmed("b@example.org", now=now, who=who, at=datetime(2026, 11, 25, 12, 30, tzinfo=UTC))
    with time_machine.travel(now, tick=False):
        question = desk.get(drag_url(booking), dragged(booking))
    assert question.status_code == 200
    assert "As it stands, this is refused. The psychologist has another session" in question.content.decode()


def test_a_drag_outside_the_hours_wants_a_second_look(desk: Browser, now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 18:00")
    booking = scenarios.confirmed(now=now, who=who, at=datetime(2026, 11, 24, 6, tzinfo=UTC))
    with time_machine.travel(now, tick=False):
        refused = desk.post(drag_url(booking), dragged(booking, "2026-11-25 20:00"))
        assert refused.status_code == 409
        assert 'name="despite_hours"' in refused.content.decode()
        insisted = desk.post(drag_url(booking), dragged(booking, "2026-11-25 20:00", despite_hours="on"))
    assert insisted.status_code == 200


def test_a_drag_of_what_changed_meanwhile_says_who_did_what(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    typed = dragged(booking)
    record_event(scenarios.again(booking), intent=Intent.REQUEST_CANCELLATION, actor="staff:meera", now=now)
    with time_machine.travel(now, tick=False):
        answer = desk.post(drag_url(booking), typed)
    assert answer.status_code == 409
    assert "the visitor asked to cancel; it is not proved (meera, " in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"slot_start_1": "x"}, 400), ({"slot_start_0": ""}, 400), ({"psychologist": "999999"}, 404)],
)
def test_a_drag_to_nowhere_is_not_asked_about(
    desk: Browser, now: datetime, changes: dict[str, str], status: int
) -> None:
    booking = scenarios.confirmed(now=now)
    assert desk.get(drag_url(booking), dragged(booking, **changes)).status_code == status


# -- who, where to, and on paper ---------------------------------------------------------------------------------------


def test_the_panel_tells_of_a_booking_and_leads_to_its_actions(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    with time_machine.travel(now, tick=False):
        page = desk.get(reverse("admin:bookings_booking_panel", args=[booking.pk])).content.decode()
    for url in (page_url(booking), action_url(booking, "reschedule"), action_url(booking, "cancel")):
        assert url in page
    assert booking.full_name in page


def test_who_may_only_look_drags_and_creates_nothing(now: datetime) -> None:
    booking, reader = scenarios.confirmed(now=now), clerk("reader", "view_booking")
    options = reader.get(reverse("desk:calendar")).context["options"]
    assert (list(options["movable"]), options["create"]) == ([], "")
    assert reader.post(drag_url(booking), dragged(booking)).status_code == 404
    panel = reader.get(reverse("admin:bookings_booking_panel", args=[booking.pk])).content.decode()
    assert action_url(booking, "cancel") not in panel


def test_who_sees_no_bookings_sees_no_calendar(now: datetime) -> None:
    booking, stranger = scenarios.confirmed(now=now), clerk("hr", "view_location")
    urls = [reverse(f"desk:{name}") for name in ("calendar", "sessions", "shades", "day")]
    for url in (*urls, reverse("admin:bookings_booking_panel", args=[booking.pk])):
        assert stranger.get(url, DAY).status_code == 404


def test_the_filters_stand_in_the_address(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    page = desk.get(reverse("desk:calendar"), {"psychologist": who.pk, "state": "APPROVED", "mode": "OFFLINE"})
    assert [chosen for _, _, chosen in page.context["people"]] == [True]
    assert [state for state, _, chosen in page.context["states"] if chosen] == ["APPROVED"]
    assert [mode for mode, _, chosen in page.context["modes"] if chosen] == ["OFFLINE"]


def test_a_dragged_span_opens_the_callers_form_filled_in(desk: Browser) -> None:
    query = {"preferred_date": "2026-11-25", "preferred_period": "CUSTOM", "preferred_time_start": "15:00"}
    page = desk.get(reverse("admin:bookings_booking_new"), query).content.decode()
    assert 'value="2026-11-25"' in page
    assert 'value="15:00"' in page
    assert '<option value="CUSTOM" selected>' in page


def test_the_day_list_has_a_sheet_a_psychologist(desk: Browser, now: datetime) -> None:
    one = factories.make_booking(State.CONFIRMED, now=now)
    two = factories.make_booking(
        State.APPROVED, now=now, email="b@example.org", psychologist=scenarios.psychologist("Dr. Arjun"),
        mode="OFFLINE", address="Room 2\nSecond floor",
    )  # fmt: skip
    page = desk.get(reverse("desk:day"), {"date": "2026-11-24"})
    sheets: list[tuple[Psychologist, list[tuple[Booking, str, str, str]]]] = page.context["sheets"]
    assert [(str(who), [row for row, *_ in rows]) for who, rows in sheets] == [
        ("Dr. Arjun", [two]),
        ("Dr. Meera Iyer", [one]),
    ]
    for text in ("17:30 to 18:30", "Room 2<br>Second floor", "https://meet.example.org/meera", "IST"):
        assert text in page.content.decode()
    mine = desk.get(reverse("desk:day"), {"date": "2026-11-24", "psychologist": one.psychologist_id})
    assert [[row for row, *_ in rows] for _, rows in mine.context["sheets"]] == [[one]]
    assert desk.get(reverse("desk:day"), {"date": "2026-13-45"}).status_code == 404
