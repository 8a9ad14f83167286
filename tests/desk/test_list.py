"""The list of bookings: found by filter and word at a few queries, decided many at once, and taken away as a file."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backend.accounts.roles import Role
from backend.bookings.access import AccessPolicy
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import approval, cancellation
from backend.bookings.lifecycle.transaction import record_event
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.bookings.search import matching
from backend.desk.list.bulk import MOST
from backend.desk.list.export import COLUMNS
from backend.desk.spreadsheet import escape_formula
from backend.people.models import Corporate
from tests.bench import pages, practice
from tests.support import roles, scenarios, working_hours
from tests.support.admin_site import clerk, list_url, logged_in, owner, written
from tests.support.factories import make_booking, make_psychologist

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
LIST = "/admin/bookings/booking/"
PLANTED = "<script>alert(1)</script>"


def found(browser: Browser, **query: str) -> set[str]:
    """The ids of the rows that are shown."""
    answer = browser.get(LIST, query)
    assert answer.status_code == 200
    return {row.acknowledgement_id for row in answer.context["cl"].result_list}


# -- filters and search ------------------------------------------------------------------------------------------------


def test_each_filter_leaves_its_rows(desk: Browser, now: datetime) -> None:
    who = make_psychologist("Dr. A", email="a@example.org")
    acme = Corporate.objects.create(name="Acme")
    wish = make_booking(State.PENDING, now=now, email="w@example.org", mode="OFFLINE", due_at=now + timedelta(hours=3))
    held = make_booking(State.APPROVED, now=now, email="h@example.org", psychologist=who, payment_mode="OFFLINE")
    paid = scenarios.confirmed("p@example.org", now=now)
    over = make_booking(State.COMPLETED, now=now, email="o@example.org", psychologist=who, corporate=acme)
    late = make_booking(State.PENDING, now=now, email="l@example.org", due_at=now - timedelta(minutes=1))
    names = {"wish": wish, "held": held, "paid": paid, "over": over, "late": late}
    cases = {
        ("state__exact", "PENDING"): "wish late",
        ("mode__exact", "OFFLINE"): "wish",
        ("psychologist__id__exact", str(who.pk)): "held over",
        ("corporate__id__exact", str(acme.pk)): "over",
        ("session", "tomorrow"): "held paid",
        ("session", "past"): "over",
        ("session", "week"): "held paid",
        ("session", "today"): "",
        ("deadline", "soon"): "wish late",
        ("deadline", "overdue"): "late",
        ("deadline", "day"): "wish late held",
        ("money", "practice"): "held",
        ("money", "sponsored"): "over",
        ("money", "unpaid"): "held",
        ("money", "paid"): "paid",
        ("money", "owed"): "",
        ("money", "online"): "wish paid late",
    }
    for (name, value), expected in cases.items():
        assert found(desk, **{name: value}) == {str(names[key]) for key in expected.split()}, (name, value)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("MS-10ABCD", True), ("ms-ioabcd", True), ("10ABCD", True), ("nisha", True), ("KULKARNI nisha", True),
        ("ulkar", True), ("nisha@example.org", True), ("A@EXAMPLE kulk", True),
        ("nisha@example.com", False), ("isha@example", True), ("isha@xample", False),
        ("@home", True), ("43210", True), ("nisha 98765", True), ("nisha 11111", False),
        ("98765 43210", True), ("+91-98765-43210", True), ("098765", True), ("(987)", True), ("98765 11111", False),
        ("MS-20ABCD", False), ("100%", False), ("_", False), ("'; --", False), ("   ", True),
    ],
)  # fmt: skip
def test_a_booking_is_found_by_id_or_by_all_words(desk: Browser, now: datetime, text: str, is_found: bool) -> None:
    given = {"acknowledgement_id": "MS-10ABCD", "full_name": "Nisha Kulkarni @home", "email": "nisha@example.org"}
    make_booking(State.PENDING, now=now, phone_number="+919876543210", **given)
    assert found(desk, q=text) == ({"MS-10ABCD"} if is_found else set())


@pytest.mark.postgres_only
def test_words_are_found_by_their_index() -> None:
    receptionist = AccessPolicy(roles.account(Role.RECEPTIONIST))
    rows = Booking.objects.filter(matching("kulkarni", receptionist)).order_by()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "booking_words" in rows.explain()


# -- pages -------------------------------------------------------------------------------------------------------------


def test_pages_follow_one_another_without_gap_and_nothing_is_counted(desk: Browser, now: datetime) -> None:
    practice.make(700)
    again = Booking.objects.filter(state=State.PENDING).earliest("pk")
    Booking.objects.filter(pk=again.pk).update(is_priority=True)
    shown: list[int] = []
    for page in range(1, 29):
        with CaptureQueriesContext(connection) as captured:
            answer = desk.get(LIST, {"p": str(page)})
        rows = [row.pk for row in answer.context["cl"].result_list]
        assert len(rows) == 25
        shown += rows
        counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        assert bool(counts) == (page < 28)  # the last one ends the list
        assert all("LIMIT" in sql for sql in counts)
    newest = list(Booking.objects.exclude(pk=again.pk).order_by("-pk").values_list("pk", flat=True))
    assert shown == [again.pk, *newest]
    assert "There are more" in desk.get(LIST).content.decode()
    assert "There are more" not in desk.get(LIST, {"p": "19"}).content.decode()
    assert desk.get(LIST, {"p": "99999999999999999999"}).status_code in (200, 302)


def test_every_page_that_is_measured_costs_a_bounded_number_of_queries(now: datetime) -> None:
    practice.make(700)
    browser = logged_in(roles.account(Role.RECEPTIONIST))
    for name, url in pages.of_reception().items():
        browser.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(url).status_code == 200, name
        most = 56 if name == "approve" else 24  # an approval is foretold by doing it
        assert len(captured) <= most, (name, len(captured))
        assert len(captured) <= 11 or not name.startswith(("list", "search")), (name, len(captured))


# -- many at once ------------------------------------------------------------------------------------------------------

SOON = "in 1 min, unless undone"


def many(browser: Browser, what: str, *bookings: Booking, **typed: str):
    """Mark rows, choose the action, and send the page that comes; its first answer without `typed`."""
    marked = {"action": f"{what}_many", "_selected_action": [str(row.pk) for row in bookings]}
    url = browser.post(LIST, marked)["Location"]
    page = browser.get(url)
    if page.status_code != 200:
        return page
    sent = {field.html_name: str(field.value() or "") for field in page.context["form"]}
    return browser.post(url, sent | typed, follow=True)


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def requests(count: int, now: datetime) -> list[Booking]:
    return [scenarios.pending(f"v{n}@example.org", now=now) for n in range(count)]


def test_marked_requests_are_approved_each_with_a_slot_of_its_own(desk: Browser, now: datetime) -> None:
    working_hours.weekly(scenarios.psychologist(), "09:00 19:00")
    bookings = requests(3, now)
    told = said(many(desk, "approve", *bookings))
    assert [scenarios.again(row).state for row in bookings] == [State.APPROVED] * 3
    assert SlotClaim.objects.count() == 3
    assert all(f"{row} is Approved" in " ".join(told) for row in bookings)
    assert {entry.actor for entry in LedgerEntry.objects.filter(intent="approve")} == {"staff:desk"}


def test_the_page_foretells_each_decision_and_decides_nothing(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    working_hours.weekly(who, "09:00 19:00")
    first, second = requests(2, now)
    ids = f"{first.pk},{second.pk}"
    url = f"{reverse('admin:bookings_booking_many', args=['approve'])}?ids={ids}"
    before = written()
    opened = desk.get(url)
    for row in opened.context["form"].rows():
        assert dict(row.consequences.lines)["Mail"][0] == f"request approved to {row.booking.email} ({SOON})"
    sent = {field.html_name: str(field.value() or "") for field in opened.context["form"]}
    same = sent[f"slot-{first.pk}"]
    preview = desk.post(url, {**sent, f"slot-{second.pk}": same, "preview": "1"})
    one, other = (row.consequences for row in preview.context["form"].rows())
    assert one.lines
    assert other.unknown.startswith(f"{second} stays as it is. The psychologist has another session")
    left = desk.post(url, {**sent, f"slot-{second.pk}": "", "preview": "1"})
    assert left.context["form"].rows()[1].consequences is None
    declined = desk.get(f"{reverse('admin:bookings_booking_many', args=['reject'])}?ids={ids}")
    assert f"request declined to v1@example.org ({SOON})" in declined.content.decode()
    assert written() == before


def test_what_is_refused_leaves_the_others_and_is_told(desk: Browser, now: datetime) -> None:
    working_hours.weekly(scenarios.psychologist(), "09:00 19:00")
    first, asked, third = requests(3, now)
    cancellation.request_cancellation(asked.acknowledgement_id, now=now)
    told = said(many(desk, "approve", first, asked, third))
    assert [scenarios.again(row).state for row in (first, asked, third)] == ["APPROVED", "PENDING", "APPROVED"]
    assert any(text.startswith(f"{asked} stays as it is. The visitor asked to cancel") for text in told)


def test_what_a_colleague_decided_meanwhile_stays_and_says_who(desk: Browser, now: datetime) -> None:
    taken, noted, free = requests(3, now)
    ids = f"{taken.pk},{noted.pk},{free.pk}"
    url = f"{reverse('admin:bookings_booking_many', args=['reject'])}?ids={ids}"
    sent = {field.html_name: str(field.value() or "") for field in desk.get(url).context["form"]}
    approval.reject(taken.pk, note_to_visitor="Full.", actor="staff:meera", now=now)
    record_event(scenarios.again(noted), intent=Intent.REQUEST_CANCELLATION, actor="staff:meera", now=now)
    told = said(desk.post(url, sent | {"note_to_visitor": "Sorry."}, follow=True))
    assert [scenarios.again(row).note_to_visitor for row in (taken, noted, free)] == ["Full.", "", "Sorry."]
    assert any("the visitor asked to cancel; it is not proved (meera, " in text for text in told)


def test_declining_many_needs_a_reason_that_every_visitor_reads(desk: Browser, now: datetime) -> None:
    bookings = requests(2, now)
    assert many(desk, "reject", *bookings).status_code == 400
    assert said(many(desk, "reject", *bookings, note_to_visitor="We are full."))
    assert {(row.state, row.note_to_visitor) for row in Booking.objects.all()} == {("REJECTED", "We are full.")}


def test_only_waiting_requests_and_only_so_many_are_decided_at_once(desk: Browser, now: datetime) -> None:
    assert many(desk, "reject", scenarios.confirmed(now=now)).status_code == 302
    marked = {"action": "reject_many", "_selected_action": [str(n) for n in range(MOST + 1)]}
    assert len(desk.post(LIST, marked)["Location"].split("=")[1].split(",")) == MOST
    for ids in ("", "x", "1" * 30, "-1"):
        assert desk.get(reverse("admin:bookings_booking_many", args=["approve"]), {"ids": ids}).status_code == 302


def test_deciding_many_is_for_those_who_decide(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    reader, url = clerk("reader", "view_booking"), reverse("admin:bookings_booking_many", args=["reject"])
    assert reader.get(url, {"ids": str(booking.pk)}).status_code == 404
    assert reader.post(f"{url}?ids={booking.pk}", {"note_to_visitor": "x"}).status_code == 404
    assert "reject_many" not in reader.get(LIST).content.decode()
    assert owner().get(reverse("admin:bookings_booking_many", args=["delete"])).status_code == 404


# -- the file ----------------------------------------------------------------------------------------------------------


def rows_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.getvalue().decode())))


def exported(browser: Browser, **query: str) -> list[dict[str, str]]:
    return rows_of(browser.get(reverse("admin:bookings_booking_export"), query))


def test_the_file_holds_the_filtered_rows_of_all_pages(desk: Browser, now: datetime) -> None:
    practice.make(300)
    assert len(exported(desk)) == 300
    pending = exported(desk, state__exact="PENDING")
    assert {row["state"] for row in pending} <= {"Pending"}
    assert [row["id"] for row in exported(desk, q="MS-000007")] == ["MS-000007"]
    assert tuple(exported(desk)[0]) == tuple(COLUMNS)
    assert "state__exact=PENDING" in desk.get(LIST, {"state__exact": "PENDING"}).content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@x", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_is_a_formula(desk: Browser, now: datetime, text: str) -> None:
    make_booking(State.PENDING, now=now, full_name=text)
    (row,) = exported(desk)
    assert row["name"].startswith("'")
    assert (escape_formula("Asha - Rao"), escape_formula("")) == ("Asha - Rao", "")


def test_the_file_shows_of_a_telephone_number_what_the_account_may_see(now: datetime) -> None:
    booking = scenarios.pending(now=now, user_message="I hear voices.")
    for role, phone in ((Role.RECEPTIONIST, "•••••••210"), (Role.MANAGER, "9876543210")):
        (row,) = exported(logged_in(roles.account(role)))
        assert ("rupees" in row) == (role == Role.MANAGER)  # a file of amounts is what the practice earns
        assert (row["id"], row["telephone"]) == (str(booking), phone)
        assert "voices" not in str(row)
    assert exported(logged_in(roles.account(Role.PSYCHOLOGIST))) == []
    auditor = logged_in(roles.account(Role.AUDITOR))
    assert auditor.get(reverse("admin:bookings_booking_export")).status_code == 404


def test_a_file_that_breaks_off_is_an_error_and_not_a_shorter_file(
    desk: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database, or a pooler before it, may fail after the first rows."""

    def broken(_booking: Booking, _access: object) -> object:
        raise OperationalError('cursor "_django_curs" does not exist')

    scenarios.pending(now=now)
    monkeypatch.setitem(COLUMNS, "deadline", broken)
    answer = desk.get(reverse("admin:bookings_booking_export"))
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/html; charset=utf-8")


# -- what a visitor wrote ----------------------------------------------------------------------------------------------


def test_nothing_that_a_visitor_wrote_is_markup_on_the_list_or_its_pages(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now, full_name=PLANTED, city=PLANTED, user_message=PLANTED, sponsor_code="")
    ids = {"ids": str(booking.pk)}
    pages = [desk.get(list_url(Booking)), desk.get(LIST, {"q": PLANTED})]
    pages += [desk.get(reverse("admin:bookings_booking_many", args=[what]), ids) for what in ("approve", "reject")]
    for page in pages:
        assert PLANTED not in page.content.decode()
