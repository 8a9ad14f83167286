"""What staff are told of a sponsor before they approve, and what the sponsor may read: sums, and never of a few."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.lifecycle import visitor
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, Outcome
from backend.people.models import Corporate
from backend.reports import sponsor_report
from backend.reports.sponsor_report import Part, Untold
from tests.support import api, scenarios
from tests.support.admin_site import action_url, clerk, owner, page_url, session_form
from tests.support.factories import make_booking, make_client, make_psychologist
from tests.support.scenarios import RAVI
from tests.support.sponsors import acme, sponsored, with_code
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


# -- staff, before approval -------------------------------------------------------------------------------------------


def test_the_site_may_send_a_code_and_hears_the_same_whatever_it_is(now: datetime) -> None:
    acme()
    answers = [
        api.done(api.post(api.DRAFT, api.form(now, email=f"v{n}@example.org", **code)), 201)
        for n, code in enumerate(({"sponsor_code": " acme-7q "}, {"sponsor_code": "WRONG"}, {"sponsor_code": None}, {}))
    ]
    assert all(answer == answers[0] for answer in answers)
    given = list(Booking.objects.order_by("pk").values_list("sponsor_code", flat=True))
    assert given == ["ACME-7Q", "WRONG", "", ""]


def test_the_api_tells_what_the_months_ahead_have_left(staff: Desk, now: datetime) -> None:
    corporate = acme(ends_on=date(2026, 12, 31))
    sponsored(now=now)
    other = with_code(RAVI, now=now)
    shown = api.done(staff.get(f"{other.acknowledgement_id}/"))
    assert (shown["sponsor_code"], shown["payment_status"]) == ("ACME-7Q", "open")
    assert shown["sponsorship"] == {
        "id": corporate.pk,
        "name": "Acme",
        "is_active": True,
        "month": None,
        "returned_at": None,
        "outlook": [
            {"month": "2026-11", "used": 1, "left": 0, "not_covered_because": "its sessions of that month are used up"},
            {"month": "2026-12", "used": 0, "left": 1, "not_covered_because": None},
            {"month": "2027-01", "used": 0, "left": 1, "not_covered_because": "its contract ends before"},
        ],
    }


def test_the_api_asks_for_a_second_look_before_the_visitor_pays(staff: Desk, now: datetime) -> None:
    acme(sessions_a_month=0)
    booking, who = with_code(now=now), make_psychologist()
    decided = {"psychologist_id": who.pk, "slot_start": (now + timedelta(days=3)).isoformat()}
    refused = api.error(staff.act(booking, "approve", decided), 409, "sponsor_does_not_cover")
    assert "its sessions of that month are used up" in refused["detail"]
    shown = api.done(staff.act(booking, "approve", {**decided, "pay_if_not_sponsored": True}))
    assert (shown["status"], shown["corporate"]) == (State.APPROVED, None)


def test_the_api_takes_a_sponsor_away(staff: Desk, now: datetime) -> None:
    acme()
    assert api.done(staff.act(with_code(now=now), "sponsor", {"corporate_id": None}))["corporate"] is None


def test_the_form_tells_it_and_asks_for_a_second_look(now: datetime) -> None:
    acme(sessions_a_month=0)
    browser, booking = owner(), with_code(now=now)
    page = browser.get(action_url(booking, "approve")).content.decode()
    assert "November 2026: 0 of 0 left; not covered: its sessions of that month are used up" in page
    typed = session_form(booking, make_psychologist(), "2026-11-27 18:00")
    refused = browser.post(action_url(booking, "approve"), typed)
    assert refused.status_code == 409
    assert list(refused.context["form"].errors) == ["pay_if_not_sponsored"]
    browser.post(action_url(booking, "approve"), {**typed, "pay_if_not_sponsored": "on"})
    assert scenarios.again(booking).state == State.APPROVED


def test_the_form_does_not_ask_about_a_sponsor_where_there_is_none(now: datetime) -> None:
    form = owner().get(action_url(scenarios.pending(now=now), "approve")).context["form"]
    assert "pay_if_not_sponsored" not in form.fields


def test_staff_take_a_sponsor_away_with_the_empty_choice(now: datetime) -> None:
    acme()
    browser, booking = owner(), with_code(now=now)
    typed = {"seen": str(booking.ledger_sequence), "corporate": ""}
    assert browser.post(action_url(booking, "sponsor"), typed).status_code == 302
    assert scenarios.again(booking).corporate is None


def test_a_contract_is_typed_with_its_domains_and_its_code_in_upper_case(now: datetime) -> None:
    browser = owner()
    domains = {"domains-TOTAL_FORMS": "1", "domains-INITIAL_FORMS": "0", "domains-0-domain": "mills.example"}
    contract = {"name": "Mills", "code": "mills-1", "starts_on": "2026-11-01", "ends_on": "2027-10-31"}
    add = reverse("admin:people_corporate_add")
    typed = {**contract, **domains, "is_active": "on", "sessions_a_month": "20"}
    assert browser.get(add).status_code == 200
    assert browser.post(add, {**typed, "ends_on": "2026-10-31"}).status_code == 200  # it would end before it begins
    assert browser.post(add, typed).status_code == 302
    mills = Corporate.objects.get()
    assert (mills.code, mills.domains.get().domain) == ("MILLS-1", "mills.example")
    assert "November 2026: 20 of 20 left" in browser.get(page_url(mills)).content.decode()
    assert scenarios.pending("asha@mills.example", now=now).corporate == mills


def test_a_sponsors_domain_in_other_letters_is_that_of_its_peoples_addresses(now: datetime) -> None:
    browser, add = owner(), reverse("admin:people_corporate_add")
    typed = {"name": "Mills", "is_active": "on", "domains-TOTAL_FORMS": "2", "domains-INITIAL_FORMS": "0"}
    twice = {"domains-0-domain": "Mühlen.example", "domains-1-domain": "xn--mhlen-kva.example"}
    assert browser.post(add, {**typed, **twice}).status_code == 200  # one domain, spelt in two ways
    assert browser.post(add, {**typed, "domains-0-domain": "Mühlen.example"}).status_code == 302
    mills = Corporate.objects.get()
    assert mills.domains.get().domain == "xn--mhlen-kva.example"
    api.done(api.post(api.DRAFT, api.form(now, email="asha@mühlen.example")), 201)
    assert visitor.verify_email(scenarios.token_of(Booking.objects.get()), now=now).corporate == mills


# -- the sponsor's report ---------------------------------------------------------------------------------------------

MAY = date(2026, 5, 1)
_PEOPLE = count()
NEW = -1  # somebody else each time


@pytest.fixture
def corporate() -> Corporate:
    return Corporate.objects.create(name="Acme")


def sessions(
    corporate: Corporate, part: Part, number: int, now: datetime, *, who: int = NEW, month: date = MAY
) -> None:
    """Sessions that ended so; each of another person unless `who` names one."""
    fields: dict[str, Any] = {"corporate": corporate, "sponsored_month": month}
    state = State.COMPLETED
    if part is Part.NO_SHOW:
        fields["outcome"] = Outcome.NO_SHOW
    if part is Part.CANCELLED_LATE:
        state, fields["reason"] = State.CANCELLED, Reason.CANCELLED_LATE
    if part is Part.RETURNED:
        state, fields["reason"] = State.CANCELLED, Reason.BY_VISITOR
        fields["sponsorship_returned_at"] = now
    for _ in range(number):
        email = f"p{next(_PEOPLE) if who == NEW else who}@acme.example"
        make_booking(state, now=now, email=email, client=make_client(email, now=now), **fields)


def told(corporate: Corporate, now: datetime) -> list[list[str]]:
    return [row[1:] for row in list(sponsor_report.lines(sponsor_report.report(corporate, now=now)))[1:]]


FEW, WITHHELD = (str(one.label) for one in Untold)
SUMS = [
    # held, not attended, cancelled late, returned → reserved and the four as they are told
    ((4, 0, 0, 0), [FEW, FEW, FEW, FEW, FEW]),
    ((5, 0, 0, 0), ["5", WITHHELD, FEW, FEW, FEW]),
    ((12, 1, 0, 0), ["13", WITHHELD, FEW, FEW, FEW]),  # 13 − 12 would tell of one who did not come
    ((12, 3, 2, 0), ["17", "12", FEW, FEW, FEW]),
    ((12, 3, 1, 0), ["16", WITHHELD, FEW, FEW, FEW]),
    ((12, 5, 0, 0), ["17", "12", WITHHELD, FEW, FEW]),  # all that is left: the reader may subtract five, no fewer
    ((12, 5, 5, 0), ["22", "12", "5", WITHHELD, FEW]),
    ((12, 5, 1, 4), ["22", "12", "5", FEW, FEW]),
    ((4, 4, 4, 4), ["16", FEW, FEW, FEW, FEW]),
]


@pytest.mark.parametrize(("numbers", "expected"), SUMS)
def test_no_sum_and_no_difference_of_sums_speaks_of_fewer_than_five(
    numbers: tuple[int, ...], expected: list[str], corporate: Corporate, now: datetime
) -> None:
    for part, number in zip(Part, numbers, strict=True):
        sessions(corporate, part, number, now)
    assert told(corporate, now) == [expected]


def test_people_are_counted_and_not_their_sessions(corporate: Corporate, now: datetime) -> None:
    for who in range(4):
        sessions(corporate, Part.HELD, 5, now, who=who)
    assert told(corporate, now) == [[FEW] * 5]


def test_a_month_is_told_when_nothing_in_it_can_change_any_more(corporate: Corporate, now: datetime) -> None:
    sessions(corporate, Part.HELD, 6, now, month=date(2026, 11, 1))
    closed = datetime.fromisoformat("2026-12-08T04:00:00+05:30")  # a session over midnight, and a week for its outcome
    assert told(corporate, closed - timedelta(microseconds=1)) == []
    assert len(told(corporate, closed)) == 1


def test_each_month_stands_alone_and_nothing_is_summed_over_months(corporate: Corporate, now: datetime) -> None:
    for month in (MAY, date(2026, 6, 1)):
        sessions(corporate, Part.HELD, 6, now, month=month)
    sessions(Corporate.objects.create(name="Other"), Part.HELD, 9, now)
    rows = list(sponsor_report.lines(sponsor_report.report(corporate, now=now)))
    assert [row[:2] for row in rows] == [["month", "reserved"], ["2026-06", "6"], ["2026-05", "6"]]


def test_the_report_is_a_page_and_a_file_without_a_name_in_it(corporate: Corporate, now: datetime) -> None:
    sessions(corporate, Part.HELD, 7, now)
    browser = owner()
    page = browser.get(reverse("admin:people_corporate_report", args=[corporate.pk]))
    file = browser.get(reverse("admin:people_corporate_report_csv", args=[corporate.pk]))
    assert "<td>7</td>" in page.content.decode()
    assert file["Content-Type"].startswith("text/csv")
    head, row, *rest = file.content.decode().splitlines()
    assert head == 'month,reserved,held,not attended,cancelled late,"cancelled in time, or by us"'
    assert (row, rest) == ("2026-05,7,not shown,fewer than 5,fewer than 5,fewer than 5", [])
    for text in (page.content.decode(), file.content.decode()):
        assert "@acme.example" not in text


def test_the_report_is_for_those_who_may_see_corporates(corporate: Corporate) -> None:
    for name, status in (("view_corporate", 200), ("view_booking", 404)):
        browser: Browser = clerk(name, name)
        for view in ("people_corporate_report", "people_corporate_report_csv"):
            assert browser.get(reverse(f"admin:{view}", args=[corporate.pk])).status_code == status
