"""Who wins when approvals, moves and alternatives want one time at once, through HTTP on PostgreSQL; no deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import requests
from django.db import connection as connection  # the mark below reads it
from django.utils import timezone

from backend.bookings import links, sponsors
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle.alternatives import OfferedSlot
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from backend.people.models import Corporate, Psychologist
from backend.scheduling.free_slots import SlotSearch, free_slots
from tests.support import scenarios, working_hours
from tests.support.races import CROWD, POSTGRES_ONLY, approval, at_once, staff_headers

pytestmark = POSTGRES_ONLY
EACH = CROWD // 4  # of each of the four ways to the same time
DAY = timedelta(days=1)
Call = Callable[[], requests.Response]


def works(name: str) -> Psychologist:
    return working_hours.psychologist(name, hours="00:00 00:00")


def slots_of(who: Psychologist, now: datetime, number: int = 1) -> list[datetime]:
    """Free ones, some days ahead."""
    found = free_slots(SlotSearch(now + 3 * DAY, now + 20 * DAY, psychologist_ids=(who.pk,)), now=now)
    return [slot.start for slot in found[:number]]


def approving(url: str, headers: dict[str, str], booking: Booking, who: Psychologist, start: datetime) -> Call:
    address = f"{url}/api/staff/bookings/{booking.acknowledgement_id}/approve/"
    return lambda: requests.post(address, json=approval(who.pk, start), headers=headers, timeout=120)


def moving_by_staff(url: str, headers: dict[str, str], booking: Booking, who: Psychologist, start: datetime) -> Call:
    address = f"{url}/api/staff/bookings/{booking.acknowledgement_id}/reschedule/"
    body = {"psychologist_id": who.pk, "slot_start": start.isoformat()}
    return lambda: requests.post(address, json=body, headers=headers, timeout=120)


def moving_by_visitor(url: str, booking: Booking, who: Psychologist, start: datetime) -> Call:
    token = scenarios.token_of(booking, Notice.BOOKING_APPROVED, Purpose.RESCHEDULE)
    form = {"token": token, "slot": f"{who.pk}@{start.isoformat()}"}
    return lambda: requests.post(f"{url}/go/reschedule/", data=form, timeout=120)


def offered(booking: Booking, offers: list[OfferedSlot], now: datetime) -> list[str]:
    """The tokens of the times that a rejection offers."""
    staff.reject(booking.pk, note_to_visitor="", offers=offers, actor="staff:desk", now=now)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
    return list(links.tokens_of(message.uuid).values())


def taking(url: str, token: str) -> Call:
    return lambda: requests.post(f"{url}/go/alternative/", data={"token": token}, timeout=120)


def no_overlap() -> None:
    for who in Psychologist.objects.all():
        held = list(SlotClaim.objects.filter(psychologist=who).order_by("blocked_from"))
        assert all(one.blocked_until <= other.blocked_from for one, other in pairwise(held))


def test_of_many_who_want_one_time_in_four_ways_one_wins(site: str) -> None:
    now, headers = timezone.now(), staff_headers()
    before = [works(f"Dr. Before {n}") for n in range(EACH)]  # ids on both sides of the one that all want:
    wanted = works("Dr. Wanted")
    after = [works(f"Dr. After {n}") for n in range(EACH)]  # the order of locks is tried both ways
    (start,) = slots_of(wanted, now)
    calls: list[Call] = []
    for n in range(EACH):
        fresh = scenarios.pending(f"fresh{n}@example.org", now=now)
        calls.append(approving(site, headers, fresh, wanted, start))
        for kind, who in (("staff", before[n]), ("visitor", after[n])):
            (held,) = slots_of(who, now)
            booking = scenarios.approved(f"{kind}{n}@example.org", now=now, who=who, at=held)
            call = moving_by_visitor(site, booking, wanted, start)
            calls.append(call if kind == "visitor" else moving_by_staff(site, headers, booking, wanted, start))
        (token,) = offered(scenarios.pending(f"offered{n}@example.org", now=now), [OfferedSlot(wanted.pk, start)], now)
        calls.append(taking(site, token))
    answers = at_once(calls)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 4 * EACH - 1}
    assert SlotClaim.objects.filter(psychologist=wanted).count() == 1
    assert SlotClaim.objects.count() == Booking.objects.filter(state=State.APPROVED).count()
    no_overlap()


def test_sessions_that_change_places_with_one_another(site: str) -> None:
    now, headers = timezone.now(), staff_headers()
    calls: list[Call] = []
    for n in range(EACH):
        one, other = works(f"Dr. One {n}"), works(f"Dr. Other {n}")
        first, second = slots_of(one, now, 2)
        here = scenarios.approved(f"here{n}@example.org", now=now, who=one, at=first)
        there = scenarios.approved(f"there{n}@example.org", now=now, who=other, at=first)
        calls += [moving_by_visitor(site, here, other, second), moving_by_visitor(site, there, one, second)]
        calls += [moving_by_staff(site, headers, here, other, second + DAY)]
    answers = at_once(calls)
    for by_visitor, other_visitor, by_staff in zip(answers[::3], answers[1::3], answers[2::3], strict=True):
        assert other_visitor.status_code == 200
        assert by_staff.status_code in (200, 409)  # whoever moved first changed the psychologist under the other
        assert by_visitor.status_code in (200, 410)
        assert 200 in (by_visitor.status_code, by_staff.status_code)
    no_overlap()


def test_a_click_that_arrives_ten_times_moves_once(site: str) -> None:
    now = timezone.now()
    calls: list[Call] = []
    for n in range(EACH):
        who = works(f"Dr. {n}")
        held, *free = slots_of(who, now, 3)
        booking = scenarios.approved(f"v{n}@example.org", now=now, who=who, at=held)
        calls += [moving_by_visitor(site, booking, who, free[click % 2]) for click in range(10)]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    assert LedgerEntry.objects.filter(intent="reschedule").count() == EACH
    assert set(Booking.objects.values_list("moves_by_visitor", flat=True)) == {1}
    no_overlap()


def test_three_links_of_one_rejection_pressed_at_once_make_one_booking(site: str) -> None:
    now = timezone.now()
    calls: list[Call] = []
    for n in range(EACH):
        who = works(f"Dr. {n}")
        offers = [OfferedSlot(who.pk, start) for start in slots_of(who, now, 3)]
        tokens = offered(scenarios.pending(f"v{n}@example.org", now=now), offers, now)
        calls += [taking(site, token) for token in tokens * 2]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    assert Booking.objects.filter(state=State.APPROVED).count() == SlotClaim.objects.count() == EACH


def test_a_sponsors_last_sessions_are_not_given_twice(site: str) -> None:
    now, headers = timezone.now(), staff_headers()
    acme = Corporate.objects.create(name="Acme", code="ACME", sessions_a_month=7)
    calls: list[Call] = []
    starts = []
    for n in range(2 * EACH):
        who = works(f"Dr. {n}")
        booking = scenarios.pending(f"v{n}@example.org", now=now, sponsor_code="ACME")
        starts = starts or slots_of(who, now)
        calls.append(approving(site, headers, booking, who, starts[0]))
    answers = at_once(calls)
    assert Counter(answer.status_code for answer in answers) == {200: 7, 409: 2 * EACH - 7}
    lost = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert lost == {"sponsor_does_not_cover"}
    month = sponsors.outlook(acme, now=starts[0])[0]
    assert (month.used, month.left) == (7, 0)
