"""Today, the admin's front page: who waits for what, and how many questions to the database that costs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backend.accounts.roles import Role
from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, desk_money, refunds
from backend.bookings.lifecycle.undo import undo_decision
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, RequestState, WaitsFor
from backend.desk.dashboard import queries
from backend.desk.dashboard.page import Line, Section
from backend.desk.dashboard.queries import SHOWN
from backend.outbox.models import Message, MessageState
from backend.payments.models import Refund, RefundState
from backend.people import phones
from backend.reports.monthly_report import read_monthly_report
from tests.support import factories, roles, scenarios
from tests.support.admin_site import action_url, clerk, logged_in, owner, page_url

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]
URL = "/admin/"


def front(now: datetime, browser: Browser | None = None) -> dict[str, Section]:
    """The sections of the page, by name."""
    with time_machine.travel(now, tick=False):
        answer = (browser or owner(f"desk{User.objects.count()}")).get(URL)
    assert answer.status_code == 200
    return {section.name: section for section in answer.context["sections"]}


def _read(row: Model) -> dict[str, object]:
    """What was read of it, with what it is joined to and annotated with."""
    joined = {name: _read(one) for name, one in row._state.fields_cache.items() if one is not None}
    return {name: (type(value), value) for name, value in vars(row).items() if name != "_state"} | joined


def names(section: Section) -> list[str]:
    return [line.booking.label for line in section.lines]


def test_the_front_page_is_today_and_the_list_of_pages_stays_in_reach() -> None:
    browser = owner()
    page = browser.get(reverse("admin:index"))
    assert "Waiting for a decision" in page.content.decode()
    assert reverse("desk:all") in page.content.decode()
    assert reverse("admin:people_location_changelist") in browser.get(reverse("desk:all")).content.decode()


def test_who_sees_no_bookings_gets_the_list_of_pages() -> None:
    page = clerk("hr", "view_location").get(URL).content.decode()
    assert "Waiting for a decision" not in page
    assert reverse("admin:people_location_changelist") in page


def test_a_stranger_is_asked_to_log_in() -> None:
    answer = Browser().get(URL)
    assert answer.status_code == 302
    assert reverse("admin:login") in answer.url


def test_who_logs_in_arrives_at_today() -> None:
    User.objects.create_superuser("desk", password="a long one")
    answer = Browser().post(reverse("admin:login"), {"username": "desk", "password": "a long one"})
    assert (answer.status_code, answer.headers["Location"]) == (302, URL)


def test_the_nearest_deadline_comes_first_whatever_is_unread(now: datetime) -> None:
    """An unread message, or a request made again, is marked; neither stands before one that lapses sooner."""
    read = factories.make_booking(State.PENDING, now=now, email="a@example.org", message_read_at=now)
    far: dict[str, object] = {"due_at": now + timedelta(days=9)}
    unread = factories.make_booking(State.PENDING, now=now, email="c@example.org", **far)
    again = factories.make_booking(State.PENDING, now=now, email="b@example.org", is_priority=True, **far)
    soon = factories.make_booking(
        State.PENDING, now=now, email="d@example.org", user_message="", due_at=now + timedelta(hours=1)
    )
    waiting = front(now)["waiting"]
    assert names(waiting) == [str(row) for row in (soon, read, again, unread)]
    assert [line.marks for line in waiting.lines[2:]] == [("unread message", "asked again"), ("unread message",)]
    assert (waiting.lines[0].when, waiting.lines[0].tone) == ("1 h left", "danger")


def test_the_list_behind_it_goes_on_in_the_same_order(now: datetime) -> None:
    browser = owner()
    rows = [
        factories.make_booking(State.PENDING, now=now, email=f"v{n}@example.org", due_at=now + timedelta(hours=hours))
        for n, hours in enumerate((30, 2, *range(40, 40 + SHOWN)))
    ]
    with time_machine.travel(now, tick=False):
        listed = browser.get(front(now, browser)["waiting"].more).context["cl"].result_list
    assert list(listed) == sorted(rows, key=lambda row: row.due_at or now)


@pytest.mark.sqlite_only
def test_who_proved_the_wish_to_be_erased_stands_there_until_it_is_done(now: datetime) -> None:
    waits = factories.make_data_request(RequestState.WAITING, now=now, waits_for=WaitsFor.REFUND)
    factories.make_data_request(RequestState.ASKED, now=now, booking=waits.booking, client=None)
    (line,) = front(now)["data"].lines
    assert line.booking.label == str(waits.booking)
    assert line.what == "Erase the data: Mon 30 Nov 2026, 10:00 IST, waits for money that is on its way back"
    assert (line.when, line.tone) == ("answer by Sun 21 Feb 2027", "secondary")
    (line,) = front(waits.deadline - policy.DATA_REQUEST_PRESSES + timedelta(seconds=1))["data"].lines
    assert line.tone == "danger"


def test_only_who_may_read_a_message_is_told_that_nobody_has(now: datetime) -> None:
    """For anybody else the mark would never go away."""
    factories.make_booking(State.PENDING, now=now)
    browser = logged_in(roles.account(Role.RECEPTIONIST))
    assert front(now, browser)["waiting"].lines[0].marks == ()


def test_opening_a_booking_reads_its_message_and_leaves_no_ledger_row(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    rows = booking.ledger.count()
    with time_machine.travel(now, tick=False):
        owner().get(page_url(booking))
    assert scenarios.again(booking).message_read_at == now
    assert booking.ledger.count() == rows
    assert "unread message" not in front(now)["waiting"].lines[0].marks


def test_every_line_leads_to_where_it_is_dealt_with(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    line = front(now)["waiting"].lines[0]
    assert line.booking.url == page_url(booking)
    assert [act.url for act in line.acts] == [action_url(booking, "approve"), action_url(booking, "reject")]


def test_who_asked_to_cancel_and_did_not_prove_it_can_be_rung(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    (line,) = front(now + timedelta(minutes=20))["asked"].lines
    assert (line.when, line.phone) == ("asked 20 min ago", phones.shown(booking.phone_number))


@pytest.mark.parametrize(("hours", "is_shown"), [(6.1, False), (5.9, True), (-1, True)])
def test_holds_that_end_within_hours_are_about_to_lapse(now: datetime, hours: float, is_shown: bool) -> None:
    factories.make_booking(State.APPROVED, now=now, due_at=now + timedelta(hours=hours))
    assert bool(front(now)["lapsing"].lines) is is_shown


def test_sessions_of_the_practices_day_stand_under_their_psychologist(now: datetime) -> None:
    meera, arjun = scenarios.psychologist("Dr. Meera"), scenarios.psychologist("Dr. Arjun", email="arjun@example.org")
    for who, hours in ((meera, 5), (arjun, 13), (arjun, 3), (meera, 14.1), (meera, -10.1)):  # the last two: other days
        start = now + timedelta(hours=hours)
        factories.make_booking(
            State.CONFIRMED, now=now, email=f"v{hours}@example.org", psychologist=who, slot_start=start,
            slot_end=start + timedelta(hours=1), due_at=start + timedelta(hours=2),
        )  # fmt: skip
    with time_machine.travel(now, tick=False):
        found: list[tuple[str, list[Line]]] = owner().get(URL).context["sessions"]
    assert [(who, [line.when for line in lines]) for who, lines in found] == [
        ("Dr. Arjun", ["13:00 to 14:00", "23:00 to 00:00"]),
        ("Dr. Meera", ["15:00 to 16:00"]),
    ]
    assert found[0][1][0].place == "https://meet.example.org/meera"


def test_a_mail_that_was_given_up_says_whom_to_ring(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    Message.objects.filter(booking_id=booking.pk, recipient=booking.email).update(
        state=MessageState.DEAD, settled_at=now, last_error="550 no such mailbox"
    )
    lines = front(now)["failed"].lines
    assert lines
    assert all("ring" in line.marks and line.phone == phones.shown(booking.phone_number) for line in lines)
    assert f"did not reach {booking.email}" in lines[0].what
    assert "550 no such mailbox" in lines[0].what


def test_refused_refunds_and_those_to_hand_out_are_shown_until_they_are_made(now: datetime) -> None:
    refused = factories.make_payment(factories.make_booking(State.CONFIRMED, now=now), now=now)
    factories.make_refund(refused, now=now, state=RefundState.REFUSED)
    on_its_way = factories.make_booking(State.CONFIRMED, now=now, email="b@example.org")
    factories.make_refund(factories.make_payment(on_its_way, now=now), now=now)
    who = scenarios.psychologist("Dr. Arjun", email="arjun@example.org")
    cash = desk_money.record_desk_payment(
        scenarios.approved("c@example.org", now=now, who=who).pk, actor="staff:desk", now=now
    )
    refunds.grant_refund(cash.pk, 500, actor="staff:desk", now=now)
    assert len(front(now)["failed"].lines) == 2
    refunds.record_refund_made(Refund.objects.get(payment__booking=cash).pk, actor="staff:desk", now=now)
    (line,) = front(now)["failed"].lines
    assert "refused by the gateway" in line.what


def test_money_that_nobody_expected_is_shown(now: datetime) -> None:
    booking = factories.make_booking(State.CANCELLED, now=now, amount_paise=150_000)
    factories.make_payment(booking, now=now, is_unexpected=True)
    assert "nobody expected" in front(now)["failed"].lines[0].what
    assert not front(now + timedelta(days=7))["failed"].lines


def test_sessions_without_an_outcome_and_those_held_unpaid_are_asked_after(now: datetime) -> None:
    booking = factories.make_booking(
        State.COMPLETED, now=now, mode="OFFLINE", payment_mode="OFFLINE", meeting_link="", address="Room 2"
    )
    found = front(now)
    assert names(found["unrecorded"]) == names(found["unpaid"]) == [str(booking)]
    factories.make_payment(booking, now=now)
    Booking.objects.filter(pk=booking.pk).update(outcome="attended")
    found = front(now)
    assert not found["unrecorded"].lines
    assert not found["unpaid"].lines


def test_what_a_list_does_not_show_stands_where_its_link_leads(now: datetime) -> None:
    browser = owner()
    factories.make_booking(State.CONFIRMED, now=now, email="other@example.org")  # waits for nothing
    late: dict[str, object] = {"due_at": now + timedelta(hours=1)}
    at_the_practice: dict[str, object] = {
        "mode": "OFFLINE",
        "payment_mode": "OFFLINE",
        "meeting_link": "",
        "address": "2",
    }
    rows: dict[str, tuple[State, dict[str, object]]] = {
        "lapsing": (State.APPROVED, late), "unrecorded": (State.COMPLETED, at_the_practice),
        "waiting": (State.PENDING, {}),
    }  # fmt: skip
    held = {name: set[str]() for name in rows}
    for name, (state, fields) in rows.items():
        for n in range(SHOWN + 1):
            row = factories.make_booking(state, now=now, email=f"{name}{n}@example.org", **fields)
            held[name].add(str(row))
    sections = front(now, browser)
    for name, expected in {**held, "unpaid": held["unrecorded"]}.items():
        assert len(sections[name].lines) == SHOWN
        with time_machine.travel(now, tick=False):
            listed = browser.get(sections[name].more).context["cl"].result_list
        assert {str(row) for row in listed} == expected, name


def test_a_visitors_text_stays_text(now: datetime) -> None:
    factories.make_booking(State.PENDING, now=now, full_name="<script>alert(1)</script>")
    with time_machine.travel(now, tick=False):
        page = owner().get(URL).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_costs_the_same_however_much_waits(now: datetime) -> None:
    def crowd(first: int, last: int) -> None:
        for n in range(first, last):
            for state in State:
                who = scenarios.psychologist(f"Dr. {state} {n}")
                row = factories.make_booking(state, now=now, email=f"{state.lower()}{n}@example.org", psychologist=who)
                if state == State.CONFIRMED:
                    factories.make_refund(factories.make_payment(row, now=now), now=now, state=RefundState.REFUSED)
            booking = scenarios.pending(f"m{n}@example.org", now=now)
            Message.objects.filter(booking_id=booking.pk).update(state=MessageState.DEAD, settled_at=now)

    browser = logged_in(User.objects.create_superuser("desk"))
    counts = []
    for first, last in ((0, 1), (1, 8)):
        crowd(first, last)
        with time_machine.travel(now, tick=False), CaptureQueriesContext(connection) as captured:
            assert browser.get(URL).status_code == 200
        counts.append(len(captured.captured_queries))
    assert counts[0] == counts[1] <= 20 + 1  # the INSERT that tells whose numbers were shown


def test_who_sees_all_is_asked_the_same_as_who_sees_some(settings) -> None:
    """One is a text that was written before, the other is worded by Django; they read the same rows alike."""
    settings.DEBUG = True
    call_command("seed_practice", bookings=60, verbosity=0)
    now, booking = timezone.now(), Booking.objects.filter(state=State.CONFIRMED).latest("pk")
    Booking.objects.filter(pk=booking.pk).update(choose_by=now + timedelta(days=2))
    factories.make_payment(booking, now=now, is_unexpected=True)
    factories.make_data_request(RequestState.WAITING, now=now)
    seen: dict[str, int] = {}
    for hours in range(0, 24 * 14, 24):
        at = timezone.now() + timedelta(hours=hours)
        some, together = Booking.objects.filter(pk__gt=0), queries._of_all(now=at)
        for name, of in queries._LISTS.items():
            alone = of(some, at)[: SHOWN + 1]
            assert [_read(row) for row in together[name]] == [_read(row) for row in alone], name
            seen[name] = seen.get(name, 0) + len(together[name])
    assert min(seen.values()) > 0, seen


def test_a_month_counts_requests_answers_money_and_what_became_of_sessions(now: datetime) -> None:
    asked = scenarios.pending(now=now)
    scenarios.staff.reject(asked.pk, note_to_visitor="", actor="staff:desk", now=now + timedelta(hours=2))
    undone = scenarios.pending("b@example.org", now=now)
    scenarios.staff.reject(undone.pk, note_to_visitor="", actor="staff:desk", now=now, is_undoable=True)
    undo_decision(undone.pk, actor="staff:desk", now=now)  # which answers nothing
    who = scenarios.psychologist()
    start = now - timedelta(days=1)
    for n, outcome in enumerate(("attended", "no_show")):
        at = start + timedelta(hours=2 * n)
        row = factories.make_booking(
            State.COMPLETED, now=now, email=f"v{n}@example.org", psychologist=who, outcome=outcome,
            slot_start=at, slot_end=at + timedelta(hours=1), verified_at=now - timedelta(days=60),
        )  # fmt: skip
        payment = factories.make_payment(row, now=now)
    for refund_state in ("done", "queued", "refused"):
        factories.make_refund(payment, now=now, amount_paise=50_000, state=refund_state, settled_at=now)
    found = read_monthly_report(Booking.objects.all(), now.date().replace(day=1), now=now + timedelta(hours=3))
    assert found.requests == {now.date(): 2}
    assert (found.median_answer, found.unanswered, found.answered_within) == (timedelta(hours=2), 1, [0, 1, 0, 0, 0])
    assert (found.paid_paise, found.given_back_paise) == ({now.date(): 300_000}, 50_000)
    assert (found.sessions, found.no_shows) == ({"Dr. Meera Iyer": 2}, {"Dr. Meera Iyer": 1})
    assert found.outcomes == {"attended": 1, "no_show": 1}


def test_another_month_is_a_link_away(now: datetime) -> None:
    browser = owner()
    with time_machine.travel(now, tick=False):
        assert browser.get(URL).context["numbers"].title == "November 2026"
        assert browser.get(f"{URL}?month=2026-10").context["numbers"].following == "2026-11"
        assert browser.get(f"{URL}?month=2026-99").context["numbers"].title == "November 2026"


def test_who_is_booked_on_a_closed_day_of_the_coming_weeks_is_listed(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    ClosedDay.objects.create(date=booking.slot_start.date(), note="Holiday")
    browser = owner()
    with time_machine.travel(now, tick=False):
        sections = {section.name: section for section in browser.get(URL).context["sections"]}
    assert [line.who for line in sections["closed"].lines] == ["Asha Rao"]
