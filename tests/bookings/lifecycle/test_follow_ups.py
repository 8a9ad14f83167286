"""Follow-ups: each next session is a booking of its own; what does not fit is told, and the rest is booked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from backend.bookings import policy
from backend.bookings.lifecycle import approval, attempts, cancellation, desk_money, follow_ups, payments, timers
from backend.bookings.lifecycle.follow_ups import Rhythm, Series
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Origin, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.people.models import Location
from tests.support import api, mails, scenarios
from tests.support.admin_site import clerk, owner, page_url
from tests.support.database_rows import everything
from tests.support.sponsors import acme, approve, with_code
from tests.support.staff_api import desk as staff_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
STAFF = {"actor": "staff:desk"}
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def starts_of(booking: Booking, number: int, interval: timedelta = WEEK) -> tuple[datetime, ...]:
    assert booking.slot_start is not None
    return tuple(booking.slot_start + (n + 1) * interval for n in range(number))


def book(booking: Booking, *starts: datetime, now: datetime, **changes: Any) -> list[follow_ups.SeriesResult]:
    return follow_ups.book_series(booking.pk, Series(starts, **changes), now=now, **STAFF)


def one(booking: Booking, *, now: datetime, **changes: Any) -> Booking:
    (place,) = book(booking, *starts_of(booking, 1), now=now, **changes)
    assert place.booking is not None, place.refused
    return place.booking


def code_of(call: Callable[[], object]) -> Code:
    before = everything()
    with pytest.raises(Refused) as refused:
        call()
    assert everything() == before
    return refused.value.code


# -- one session ------------------------------------------------------------------------------------------------------


def test_a_follow_up_is_a_booking_of_its_own_beside_the_last(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    booking = scenarios.again(one(last, now=now))
    assert (booking.state, booking.origin, booking.follows) == (State.APPROVED, Origin.STAFF, last)
    assert (booking.client, booking.full_name, booking.psychologist) == (last.client, last.full_name, last.psychologist)
    assert (booking.slot_start, booking.meeting_link) == (last.slot_start + WEEK, last.meeting_link)
    assert (booking.user_message, booking.consent_given_at) == ("", last.consent_given_at)
    assert SlotClaim.objects.get(booking=booking).blocked_from == booking.slot_start
    rows = LedgerEntry.objects.filter(booking=booking).order_by("sequence").values_list("intent", "source", "target")
    assert list(rows) == [("book_follow_up", "", State.PENDING), ("approve", State.PENDING, State.APPROVED)]
    assert scenarios.again(last) == last


def test_only_the_approvals_own_mails_are_owed(now: datetime) -> None:
    booking = one(scenarios.confirmed(now=now), now=now)
    assert scenarios.notices_about(booking) == [Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE]
    mail = mails.mail_about(Notice.BOOKING_APPROVED, booking, now=now)
    assert "As arranged with our team" in mail.body
    assert "https://meet" not in mail.body
    assert f"/payment?id={booking.acknowledgement_id}" in mail.body


def test_a_follow_up_is_paid_like_any_other(now: datetime) -> None:
    booking = one(scenarios.confirmed(now=now), now=now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert scenarios.again(booking).state == State.CONFIRMED


@pytest.mark.parametrize(
    ("ahead", "pay_by"),
    [
        (10 * DAY, 8 * DAY),
        (3 * DAY, DAY),
        (2.5 * DAY, DAY),
        (2 * DAY, DAY),
        (0.5 * DAY, 0.5 * DAY - timedelta(hours=1)),
    ],
)
def test_there_is_time_to_pay_until_two_days_ahead_or_a_day_as_ever(
    ahead: timedelta, pay_by: timedelta, now: datetime
) -> None:
    last = scenarios.confirmed(now=now)
    (place,) = book(last, now + ahead, now=now, psychologist_id=scenarios.psychologist("Dr. Other").pk)
    assert place.booking is not None
    assert place.booking.pay_by == now + pay_by
    reminder = Message.objects.get(booking_id=place.booking.pk, kind=Notice.PAYMENT_STILL_DUE)
    at = max(now + pay_by / 2, now + pay_by - policy.PAY_WITHIN / 2)
    assert reminder.not_before == policy.outside_quiet_hours(at, deadline=now + pay_by, now=now)


def test_moving_a_follow_up_only_shortens_its_time_to_pay_by_its_own_rule(now: datetime) -> None:
    booking = one(scenarios.confirmed(now=now), now=now)
    before = booking.pay_by
    moved = reschedule(booking.pk, Move(booking.slot_start + DAY), now=now, **STAFF)
    assert moved.pay_by == before
    moved = reschedule(booking.pk, Move(booking.slot_start - 2 * DAY), now=now, **STAFF)
    assert moved.pay_by == moved.slot_start - 2 * DAY < before


def test_a_follow_up_can_follow_a_completed_session_and_a_follow_up(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    timers.complete_session(last.pk, now=last.due_at)
    booking = one(last, now=now)
    desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    assert one(booking, now=now).follows == booking


def test_what_is_due_at_the_practice_is_confirmed_at_once(now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    who = scenarios.psychologist(location=place)
    offline = {"mode": "OFFLINE", "payment_mode": "OFFLINE"}
    last = scenarios.approved(now=now, who=who, **offline)
    place.address = "moved since"
    place.save()
    booking = one(last, now=now)
    assert (booking.state, booking.address) == (State.CONFIRMED, "12 Baner Road")
    assert Notice.BOOKING_CONFIRMED in scenarios.notices_about(booking)


def test_another_psychologist_gives_their_own_place_and_fee(now: datetime) -> None:
    other = scenarios.psychologist("Dr. Other", meeting_link="https://meet.example.org/other", fee_paise=99_900)
    booking = one(scenarios.confirmed(now=now), now=now, psychologist_id=other.pk)
    assert (booking.meeting_link, booking.amount_paise) == ("https://meet.example.org/other", 99_900)


def test_consent_of_a_guardian_that_was_recorded_still_counts(now: datetime) -> None:
    pending = scenarios.pending(now=now, age=16)
    who = scenarios.psychologist()
    decided = approval.Approval(
        who.pk, scenarios.slot_tomorrow(now), amount_paise=0, guardian_consent=scenarios.GUARDIAN
    )
    last = approval.approve(pending.pk, decided, now=now, **STAFF)
    booking = one(last, now=now + timedelta(hours=1))
    assert (booking.guardian_consent_at, booking.guardian_consent_by) == (now, "staff:desk")


def test_the_sponsor_of_the_last_session_is_asked_for_each(now: datetime) -> None:
    corporate = acme(sessions_a_month=2)
    last = approve(with_code(now=now), now)
    places = book(last, *starts_of(last, 4, DAY), now=now)
    assert [place.booking and place.booking.state for place in places] == [State.CONFIRMED, None, None, None]
    assert places[1].refused is not None
    assert places[1].refused.code is Code.SPONSOR_DOES_NOT_COVER
    (paid,) = book(last, *starts_of(last, 1, 2 * DAY), now=now, pay_if_not_sponsored=True)
    assert paid.booking is not None
    assert (paid.booking.state, paid.booking.corporate) == (State.APPROVED, None)
    assert Booking.objects.filter(corporate=corporate).count() == 2


@pytest.mark.parametrize("state", [state for state in State if state not in (State.CONFIRMED, State.COMPLETED)])
def test_only_a_session_that_is_settled_can_be_followed(state: State, now: datetime) -> None:
    from tests.support.factories import make_booking

    booking = make_booking(state, now=now)
    assert code_of(lambda: book(booking, now + WEEK, now=now)) is Code.STATE_REFUSES


def test_nobody_gives_the_session_of_a_psychologist_who_left(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    last.psychologist.is_active = False
    last.psychologist.save()
    assert code_of(lambda: book(last, now + WEEK, now=now)) is Code.PSYCHOLOGIST_REQUIRED
    assert code_of(lambda: book(Booking(pk=0), now + WEEK, now=now)) is Code.BOOKING_UNKNOWN


# -- a series ---------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_told_and_the_rest_is_booked(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    starts = starts_of(last, 12)
    scenarios.approved(scenarios.RAVI, now=now, who=last.psychologist, at=starts[4] + timedelta(minutes=30))
    places = book(last, *starts, now=now)
    assert [place.slot_start for place in places] == list(starts)
    (refused,) = [place for place in places if place.booking is None]
    assert refused.slot_start == starts[4]
    assert refused.refused is not None
    assert (refused.refused.code, len(refused.refused.context["free_slots"])) == (Code.SLOT_TAKEN, 3)
    assert Booking.objects.filter(follows=last).count() == SlotClaim.objects.count() - 2 == 11
    assert all(scenarios.notices_about(place.booking)[-1] == Notice.SERIES_BOOKED for place in places if place.booking)


def test_trying_books_nothing_and_tells_the_same(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    starts = starts_of(last, 3)
    scenarios.approved(scenarios.RAVI, now=now, who=last.psychologist, at=starts[1])
    before = everything()
    tried = follow_ups.preview_series(last.pk, Series(starts), now=now, **STAFF)
    assert everything() == before
    booked = book(last, *starts, now=now)
    assert [bool(place.booking) for place in tried] == [bool(place.booking) for place in booked] == [True, False, True]


def test_the_same_click_again_finds_every_time_taken(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    book(last, *starts_of(last, 3), now=now)
    before = everything()
    again = book(last, *starts_of(last, 3), now=now)
    assert [place.refused and place.refused.code for place in again] == [Code.SLOT_TAKEN] * 3
    assert everything() == before


@pytest.mark.parametrize("number", [0, 13])
def test_a_series_has_up_to_twelve_sessions(number: int, now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    assert code_of(lambda: book(last, *starts_of(last, number), now=now)) is Code.SERIES_TOO_LONG


def test_a_rhythm_keeps_the_hour_of_the_practices_clock(now: datetime, settings: Any) -> None:
    settings.PRACTICE_TIME_ZONE = "Europe/London"
    first = datetime(2027, 3, 24, 9, tzinfo=UTC)  # the clocks change on the 28th
    assert Rhythm(2, WEEK, first).starts(now, now=now) == (first, datetime(2027, 3, 31, 8, tzinfo=UTC))


def test_a_rhythm_without_a_first_start_goes_on_from_the_last_session_and_lies_ahead(now: datetime) -> None:
    last = now - 10 * DAY
    assert Rhythm(2, WEEK).starts(last, now=now) == (last + 2 * WEEK, last + 3 * WEEK)
    assert Rhythm(1, WEEK).starts(now + DAY, now=now) == (now + DAY + WEEK,)
    assert Rhythm(1, WEEK).starts(now - WEEK, now=now) == (now + WEEK,)


def test_cancelling_one_leaves_the_others(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    first, second = (place.booking for place in book(last, *starts_of(last, 2), now=now))
    assert first is not None
    assert second is not None
    refund = {"refund": cancellation.RefundChoice.FULL, "refund_reason": ""}
    cancellation.cancel_by_staff(first.pk, note_to_visitor="", now=now, **refund, **STAFF)
    assert scenarios.again(second).state == State.APPROVED


# -- the staff API ----------------------------------------------------------------------------------------------------


def test_the_api_previews_and_then_books(now: datetime) -> None:
    last = scenarios.confirmed(now=now)
    scenarios.approved(scenarios.RAVI, now=now, who=last.psychologist, at=last.slot_start + WEEK)
    desk_, asked = staff_desk(), {"count": 3}
    before = everything()
    preview = api.done(desk_.act(last, "follow-up", {**asked, "preview": True}))
    assert everything() == before
    assert preview["preview"] is True
    assert [row["fits"] for row in preview["sessions"]] == [False, True, True]
    refused, fits, _ = preview["sessions"]
    assert (refused["code"], len(refused["free_slots"]), refused["booking"]) == ("slot_taken", 3, None)
    assert (fits["status"], fits["amount"], fits["booking"]) == ("APPROVED", "1500.00", None)
    booked = api.done(desk_.act(last, "follow-up", asked))
    assert [row["fits"] for row in booked["sessions"]] == [False, True, True]
    assert booked["sessions"][1]["booking"]["follows"] == last.acknowledgement_id


def test_the_api_takes_a_list_of_starts_or_a_rhythm(now: datetime) -> None:
    last, desk_ = scenarios.confirmed(now=now), staff_desk()
    starts = [start.isoformat() for start in starts_of(last, 2, DAY)]
    shown = api.done(desk_.act(last, "follow-up", {"slot_starts": starts, "slot_minutes": 90, "amount": "900.00"}))
    assert [row["amount"] for row in shown["sessions"]] == ["900.00"] * 2
    api.error(desk_.act(last, "follow-up", {"slot_starts": starts, "count": 2}), 400, "invalid")
    api.error(desk_.act(last, "follow-up", {"slot_starts": []}), 400, "invalid")
    api.error(desk_.act(last, "follow-up", {"slot_starts": ["tomorrow"]}), 400, "invalid")
    api.error(desk_.act(last, "follow-up", {"count": 13}), 400, "series_too_long")
    monthly = {"count": 2, "interval_days": 28, "first_start": (now + 30 * DAY).isoformat()}
    shown = api.done(desk_.act(last, "follow-up", monthly))
    assert [row["slot_start"] for row in shown["sessions"]] == ["2026-12-23T04:30:00Z", "2027-01-20T04:30:00Z"]


def test_the_api_answers_409_when_nothing_fits(now: datetime) -> None:
    last, desk_ = scenarios.confirmed(now=now), staff_desk()
    api.done(desk_.act(last, "follow-up"))
    assert api.error(desk_.act(last, "follow-up"), 409, "slot_taken")["free_slots"]
    api.error(desk_.act(scenarios.pending(scenarios.RAVI, now=now), "follow-up"), 409, "state_refuses")
    api.error(staff_desk("view_booking", username="reader").act(last, "follow-up"), 404, "not_found")


# -- the admin --------------------------------------------------------------------------------------------------------


def page_of(booking: Booking) -> str:
    return reverse("admin:bookings_booking_follow_up", args=[booking.pk])


def typed(booking: Booking, **changes: str) -> dict[str, str]:
    given = {"slot_start_0": "2026-12-01", "slot_start_1": "17:30", "count": "3", "interval_days": "7"}
    return {**given, **changes}


def test_the_page_shows_what_fits_and_books_it_when_confirmed(now: datetime) -> None:
    last, browser = scenarios.confirmed(now=now), owner()
    scenarios.approved(scenarios.RAVI, now=now, who=last.psychologist, at=last.slot_start + 2 * WEEK)
    assert "Book next sessions" in browser.get(page_url(last)).content.decode()
    assert browser.get(page_of(last)).context["form"].initial["slot_start"] == last.slot_start + WEEK
    before = everything()
    shown = browser.post(page_of(last), typed(last))
    assert everything() == before
    assert [bool(row["refused"]) for row in shown.context["rows"]] == [False, True, False]
    first = dict(shown.context["rows"][0]["consequences"].lines)
    assert first["Mail"][0] == "next sessions booked to asha@example.org (now)"
    assert first["Money"] == ("The visitor is asked for ₹1,500.00.",)
    assert "Book 2 sessions" in shown.content.decode()
    tried = shown.context["tried"]
    changed = browser.post(page_of(last), typed(last, count="2", tried=tried))  # what was typed changed: tried again
    assert "Book 1 session<" in changed.content.decode()
    done = browser.post(page_of(last), typed(last, tried=tried), follow=True)
    assert done.redirect_chain == [(page_url(last), 302)]
    told = [str(message) for message in done.context["messages"]]
    assert ["not booked" in message for message in told] == [False, True, False]
    assert Booking.objects.filter(follows=last).count() == 2
    again = browser.post(page_of(last), typed(last, tried=tried))
    assert again.status_code == 409
    assert "Nothing was booked" in again.content.decode()
    page = browser.get(page_url(last)).content.decode()
    assert all(str(booking) in page for booking in Booking.objects.filter(follows=last))


def test_the_page_is_for_settled_sessions_and_for_those_who_may_decide(now: datetime) -> None:
    pending, browser = scenarios.pending(now=now), owner()
    assert "Book next sessions" not in browser.get(page_url(pending)).content.decode()
    assert "is not possible now" in browser.get(page_of(pending), follow=True).content.decode()
    last = scenarios.confirmed(scenarios.RAVI, now=now)
    assert browser.post(page_of(last), typed(last, count="13")).status_code == 400
    assert clerk("reader", "view_booking").get(page_of(last)).status_code == 404
