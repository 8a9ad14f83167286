"""A psychologist cannot come: staff see every booking in the way, decide about each, and confirm once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.lifecycle import absence, cancellation
from backend.bookings.lifecycle.absence import Absence
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.desk.affected import STAYS
from backend.payments.models import Refund
from backend.people.models import Psychologist, TimeOff
from backend.scheduling.rebooking_options import rebooking_options, within_time_off
from tests.support import scenarios, working_hours
from tests.support.admin_site import clerk, owner, page_url, written
from tests.support.scenarios import ASHA, RAVI
from tests.support.working_hours import WEDNESDAY, at

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock", "sandbox_payments")]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ALL_WEDNESDAY = {"start_0": "2026-11-25", "start_1": "00:00:00", "end_0": "2026-11-26", "end_1": "00:00:00"}


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="10:00 13:30")


def url(who: Psychologist) -> str:
    return reverse("admin:people_psychologist_away", args=[who.pk])


def see(desk: Browser, who: Psychologist, when: dict[str, str] = ALL_WEDNESDAY) -> HttpResponse:
    return desk.get(url(who), when)


def confirm(desk: Browser, who: Psychologist, fates: dict[Booking, str], **changes: str) -> HttpResponse:
    sent = {**ALL_WEDNESDAY, "note_to_visitor": "Dr. Iyer is ill."}
    for booking, fate in fates.items():
        sent |= {f"fate-{booking.pk}": fate, f"seen-{booking.pk}": str(scenarios.again(booking).ledger_sequence)}
    return desk.post(url(who), {**sent, **changes}, follow=True)


def move_to(who: Psychologist, start: datetime) -> str:
    return f"{who.pk}@{start.astimezone(UTC).isoformat()}"


def test_first_of_all_it_is_about_the_rest_of_today(desk: Browser, who: Psychologist) -> None:
    page = desk.get(url(who))
    assert page.status_code == 200
    text = page.content.decode()
    assert "Mon 23 Nov 2026, 10:00 IST, to Tue 24 Nov 2026, 00:00 IST" in text
    assert "No booking is in the way." in text
    assert f'href="{url(who)}"' in desk.get(page_url(who)).content.decode()


def test_the_page_tells_each_booking_in_the_way_and_what_would_happen(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    other = working_hours.psychologist("Dr. Other", hours="11:00 12:00", email="other@example.org")
    paid = scenarios.confirmed(ASHA, now=now, who=who, at=at("11:15"))
    scenarios.approved(RAVI, now=now, who=who, at=at("11:15") + DAY)
    page = see(desk, who)
    (row,) = page.context["rows"]
    assert row.booking == paid
    groups = dict(row.field.field.choices)
    moves = [label for _, label in groups["The same psychologist"]]
    assert moves[0] == "Move to Tue 24 Nov 2026, 12:30 IST, Dr. Meera Iyer"
    assert all("25 Nov" not in label for label in moves)
    others = groups["Another psychologist"]
    assert others[0] == (move_to(other, at("11:00")), "Move to Wed 25 Nov 2026, 11:00 IST, Dr. Other")
    assert {"cancel", "stay"} <= set(groups)
    text = confirm(desk, who, {paid: move_to(who, at("12:30") - DAY)}, preview="1").content.decode()
    assert "session moved to asha@example.org (now)" in text
    assert "Given back: Dr. Meera Iyer, Wed 25 Nov 2026, 11:15 IST." in text
    assert "Held: Dr. Meera Iyer, Tue 24 Nov 2026, 12:30 IST" in text
    assert "goes back through the gateway" not in text
    assert not TimeOff.objects.exists()


def test_other_decisions_are_foretold_as_they_were_typed_and_nothing_is_done(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    first, second, third = (
        scenarios.confirmed(f"v{number}@example.org", now=now, who=who, at=at(hour))
        for number, hour in enumerate(("10:00", "11:15", "12:30"))
    )
    free = move_to(who, at("10:00") + DAY)
    before = written()
    page = confirm(desk, who, {first: "cancel", second: free, third: free}, preview="1")
    assert page.status_code == 200
    cancelled, moved, too_late = (row.consequences for row in page.context["rows"])
    assert dict(cancelled.lines)["Money"] == ("₹1,500.00 goes back through the gateway.",)
    assert dict(cancelled.lines)["Mail"][0] == "booking cancelled to v0@example.org (in 1 min, unless undone)"
    assert dict(moved.lines)["Booking"][0] == "It stays Confirmed."
    assert "another session at this time" in too_late.unknown
    assert "Dr. Iyer is ill." in page.content.decode()
    stays = confirm(desk, who, {first: "stay", second: "stay", third: "stay"}, preview="1")
    assert {row.consequences.unknown for row in stays.context["rows"]} == {STAYS.unknown}
    assert written() == before
    assert not TimeOff.objects.exists()


@pytest.mark.parametrize("hours", ["", "10:00 13:30"])
def test_nobody_is_moved_or_cancelled_unless_staff_say_so(hours: str, desk: Browser, now: datetime) -> None:
    who = working_hours.psychologist(hours=hours)
    scenarios.confirmed(now=now, who=who, at=at("11:15"))
    (row,) = see(desk, who).context["rows"]
    assert row.field.initial == "choose"
    text = " ".join(line for _, lines in row.consequences.lines for line in lines)
    assert "It waits for the visitor's choice of another time until Wed 25 Nov 2026, 09:15 IST" in text
    assert "asked to choose another time to asha@example.org (now)" in text


def test_the_visitor_chooses_and_is_asked_once_though_staff_are_away_twice(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    booking = scenarios.confirmed(now=now, who=who, at=at("11:15"))
    answer = confirm(desk, who, {booking: "choose"})
    assert "asked to choose another time to asha@example.org (now)" in answer.content.decode()
    asked = scenarios.again(booking)
    assert (asked.state, asked.slot_start) == (State.CONFIRMED, at("11:15"))
    assert SlotClaim.objects.get().booking == booking
    (row,) = see(desk, who).context["rows"]
    assert row.field.initial == "stay"
    assert dict(row.field.field.choices)["stay"].startswith("It waits for the visitor's choice until Wed 25 Nov 2026")
    assert "The visitor has been asked already" in confirm(desk, who, {booking: "choose"}).content.decode()
    assert scenarios.notices_about(booking).count(Notice.CHOICE_OFFERED) == 1
    for page in (reverse("admin:index"), reverse("admin:bookings_booking_change", args=[booking.pk])):
        text = desk.get(page).content.decode()
        assert "for the visitor&#x27;s choice" in text or "for the visitor's choice" in text
        assert "Wed 25 Nov 2026, 09:15 IST" in text


def test_who_cannot_be_asked_is_called(desk: Browser, who: Psychologist, now: datetime) -> None:
    near = scenarios.confirmed(now=now, who=who, at=at("10:00"))
    Booking.objects.filter(pk=near.pk).update(slot_start=now + 5 * HOUR, slot_end=now + 6 * HOUR)
    caller = scenarios.confirmed(RAVI, now=now, who=who, at=at("11:15"))
    Booking.objects.filter(pk=caller.pk).update(email="")
    first, second = see(desk, who, ALL_WEDNESDAY | {"start_0": "2026-11-23"}).context["rows"]
    assert (first.booking, second.booking) == (near, caller)
    assert [row.field.initial for row in (first, second)] == ["stay", "stay"]
    assert "choose" not in dict(first.field.field.choices)
    assert "starts too soon" in first.field.help_text
    assert "no address" in second.field.help_text


def test_a_session_in_person_is_not_moved_to_hours_online(who: Psychologist, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, who=who, at=at("11:15"))
    Booking.objects.filter(pk=booking.pk).update(mode="OFFLINE")
    (way,) = rebooking_options(who.pk, at("00:00"), at("00:00") + DAY, now=now)
    assert (way.same, way.others) == ([], [])


@pytest.mark.parametrize(
    ("start", "end", "is_touched"),
    [("12:15", "13:00", False), ("12:14", "13:00", True), ("09:00", "11:16", True), ("09:00", "11:15", False)],
)
def test_only_what_overlaps_the_absence_is_touched(
    start: str, end: str, is_touched: bool, who: Psychologist, now: datetime
) -> None:
    scenarios.approved(now=now, who=who, at=at("11:15"))
    assert bool(rebooking_options(who.pk, at(start), at(end), now=now)) == is_touched


def test_one_confirm_moves_cancels_and_leaves_and_records_the_time_off(
    desk: Browser, who: Psychologist, now: datetime
) -> None:
    other = working_hours.psychologist("Dr. Other", hours="10:00 11:00", email="other@example.org")
    working_hours.weekly(who, "18:00 19:00")
    moved = scenarios.confirmed("a@example.org", now=now, who=who, at=at("10:00"))
    handed_over = scenarios.approved("b@example.org", now=now, who=who, at=at("11:15"))
    cancelled = scenarios.confirmed("c@example.org", now=now, who=who, at=at("12:30"))
    left = scenarios.approved("d@example.org", now=now, who=who, at=at("18:00"))
    fates = {
        moved: move_to(who, at("10:00") + DAY),
        handed_over: move_to(other, at("10:00")),
        cancelled: "cancel",
        left: "stay",
    }
    answer = confirm(desk, who, fates)
    assert answer.redirect_chain == [(page_url(who), 302)]
    off = TimeOff.objects.get()
    assert (off.starts_at, off.ends_at) == (at("00:00"), at("00:00") + DAY)
    moved, handed_over, cancelled, left = map(scenarios.again, (moved, handed_over, cancelled, left))
    assert (moved.state, moved.psychologist, moved.slot_start) == (State.CONFIRMED, who, at("10:00") + DAY)
    assert (handed_over.psychologist, handed_over.slot_start) == (other, at("10:00"))
    assert (cancelled.state, cancelled.reason) == (State.CANCELLED, "by_staff")
    assert cancelled.note_to_visitor == "Dr. Iyer is ill."
    assert Refund.objects.get().payment.booking == cancelled
    assert Refund.objects.get().amount_paise == 150_000
    assert (left.state, left.slot_start) == (State.APPROVED, at("18:00"))
    assert scenarios.notices_about(moved)[-1] != Notice.BOOKING_CANCELLED
    assert Notice.BOOKING_MOVED in scenarios.notices_about(moved)
    page = answer.content.decode()
    assert "Dr. Meera Iyer is away from Wed 25 Nov 2026, 00:00 IST, to Thu 26 Nov 2026, 00:00 IST." in page
    assert [row[0] for row in answer.context["in_the_way"]] == [left]


def test_what_fails_is_told_and_the_rest_is_done(desk: Browser, who: Psychologist, now: datetime) -> None:
    first = scenarios.approved("a@example.org", now=now, who=who, at=at("10:00"))
    second = scenarios.approved("b@example.org", now=now, who=who, at=at("11:15"))
    taken = at("10:00") + DAY
    answer = confirm(desk, who, {first: move_to(who, taken), second: move_to(who, taken)})
    assert answer.redirect_chain
    assert scenarios.again(first).slot_start == taken
    assert scenarios.again(second).slot_start == at("11:15")
    page = answer.content.decode()
    assert f"{second} stays as it is. The psychologist has another session at this time." in page
    assert TimeOff.objects.count() == 1


def test_a_booking_that_changed_meanwhile_stays_as_it_is(desk: Browser, who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    seen = str(booking.ledger_sequence - 1)
    answer = confirm(desk, who, {booking: "cancel"}, **{f"seen-{booking.pk}": seen})
    assert f"{booking} stays as it is. This booking was dealt with before you." in answer.content.decode()
    assert scenarios.again(booking).state == State.APPROVED
    assert Notice.BOOKING_CANCELLED not in scenarios.notices_about(booking)


def test_a_booking_that_came_meanwhile_is_asked_about_first(desk: Browser, who: Psychologist, now: datetime) -> None:
    scenarios.approved(now=now, who=who, at=at("11:15"))
    before = written()
    answer = confirm(desk, who, {})
    assert answer.status_code == 400
    assert written() == before
    assert not TimeOff.objects.exists()


def test_a_booking_that_went_meanwhile_is_no_obstacle(desk: Browser, who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", actor="staff:x", now=now
    )
    assert confirm(desk, who, {booking: "cancel"}).redirect_chain
    assert TimeOff.objects.count() == 1


@pytest.mark.parametrize("fate", ["", "somewhere", "x@y", "1@2026-11-25T10:00:00", "1@"])
def test_a_forged_decision_is_refused(fate: str, desk: Browser, who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    assert confirm(desk, who, {booking: fate}).status_code == 400
    assert scenarios.again(booking).slot_start == at("11:15")


def test_an_absence_that_ends_before_it_starts_is_refused(desk: Browser, who: Psychologist) -> None:
    answer = confirm(desk, who, {}, end_0="2026-11-24")
    assert answer.status_code == 400
    assert set(answer.context["when"].errors) == {"end"}
    assert not TimeOff.objects.exists()


def test_nobody_is_booked_into_recorded_time_off_without_a_second_look(who: Psychologist, now: datetime) -> None:
    absence.record_time_off(Absence(who.pk, at("00:00"), at("00:00") + DAY))
    with pytest.raises(Refused) as refused:
        scenarios.approved(now=now, who=who, at=at("11:15"))
    assert refused.value.code is Code.OUTSIDE_HOURS


def test_time_off_that_is_covered_is_recorded_once(who: Psychologist) -> None:
    for start, end in ((at("00:00"), at("00:00") + DAY), (at("10:00"), at("12:00"))):
        absence.record_time_off(Absence(who.pk, start, end))
    assert TimeOff.objects.count() == 1
    for wrong, code in (
        (Absence(who.pk, at("10:00"), at("10:00")), Code.SLOT_INVALID),
        (Absence(0, at("10:00"), at("11:00")), Code.PSYCHOLOGIST_REQUIRED),
    ):
        with pytest.raises(Refused) as refused:
            absence.record_time_off(wrong)
        assert refused.value.code is code


def test_the_page_needs_the_permissions_to_decide_about_bookings_and_to_add_time_off(who: Psychologist) -> None:
    for permissions in (["add_timeoff"], ["change_booking"]):
        assert clerk(f"only-{permissions[0]}", *permissions).get(url(who)).status_code == 404
    assert clerk("both", "add_timeoff", "change_booking").get(url(who)).status_code == 200
    assert owner("someone").get(reverse("admin:people_psychologist_away", args=[987654])).status_code == 404


def test_a_claim_moves_with_its_session(desk: Browser, who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    confirm(desk, who, {booking: move_to(who, at("12:30", WEDNESDAY + DAY))})
    claim = SlotClaim.objects.get()
    assert (claim.blocked_from, claim.blocked_until) == (at("12:30") + DAY, at("13:45") + DAY)
    assert within_time_off(who.pk, now=now) == []
