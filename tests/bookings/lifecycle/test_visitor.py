"""A visitor drafts, proves the address, and asks for the link again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import creation, timers, visitor
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, ClosedDay, LedgerEntry, Link
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from backend.people.models import Client
from tests.support import scenarios
from tests.support.scenarios import ASHA, RAVI

pytestmark = pytest.mark.django_db


def test_a_draft_is_recorded_with_its_deadline_its_ledger_row_and_its_mails(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    assert booking.state == State.DRAFT
    assert booking.due_at == now + timedelta(hours=48)
    assert scenarios.notices_about(booking) == [Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED]
    assert Message.objects.get(kind=Notice.DRAFT_STILL_UNVERIFIED).not_before == now + timedelta(hours=24)
    assert LedgerEntry.objects.values_list("sequence", "source", "target", "actor").get() == (
        1,
        "",
        State.DRAFT,
        "visitor",
    )


def test_a_draft_for_a_past_date_is_refused_and_leaves_nothing(now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        visitor.submit_draft(scenarios.draft_of(now=now, preferred_date=date(2026, 11, 22)), now=now)
    assert refused.value.code is Code.DATE_PAST
    assert not Booking.objects.exists()
    assert not Client.objects.exists()
    assert not Message.objects.exists()


def test_today_is_the_practices_day_and_not_the_day_in_utc() -> None:
    late_evening_utc = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # 01:30 on the 23rd in Kolkata
    with pytest.raises(Refused):
        visitor.submit_draft(
            scenarios.draft_of(now=late_evening_utc, preferred_date=date(2026, 11, 22)), now=late_evening_utc
        )
    visitor.submit_draft(
        scenarios.draft_of(now=late_evening_utc, preferred_date=date(2026, 11, 23)), now=late_evening_utc
    )


def test_a_child_is_refused(now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        visitor.submit_draft(scenarios.draft_of(now=now, age=12), now=now)
    assert refused.value.code is Code.AGE_REFUSED


def test_the_booking_that_an_intent_returns_can_be_saved(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    booking.user_message = "After the step."
    booking.save()
    assert Booking.objects.get().user_message == "After the step."


def test_the_same_click_arriving_twice_makes_one_draft_and_one_mail(now: datetime) -> None:
    scenarios.submitted(now=now)
    scenarios.submitted(now=now + timedelta(seconds=2))
    assert Booking.objects.count() == 1
    assert Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).count() == 1


def test_the_same_text_a_minute_later_is_a_new_draft(now: datetime) -> None:
    scenarios.submitted(now=now)
    scenarios.submitted(now=now + policy.DRAFT_REPEAT_WINDOW)
    assert Booking.objects.count() == 2


def test_verifying_proves_the_address_once_and_tells_visitor_and_staff(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    token = scenarios.token_of(booking)
    first = visitor.verify_email(token, now=now)
    second = visitor.verify_email(token, now=now + timedelta(minutes=1))
    assert first.state == second.state == State.PENDING
    assert first.verified_at == second.verified_at == now
    assert scenarios.notices_about(booking)[2:] == [
        Notice.BOOKING_RECEIVED,
        Notice.STAFF_BOOKING_RECEIVED,
        Notice.STAFF_BOOKING_WAITING,
        Notice.MANAGER_BOOKING_OVERDUE,
        Notice.ANSWER_LATE,
    ]
    assert LedgerEntry.objects.filter(booking=booking).count() == 2


def test_verifying_supersedes_the_siblings_and_their_links_say_so(now: datetime) -> None:
    first = scenarios.submitted(now=now, user_message="first")
    second = scenarios.submitted(now=now, user_message="second")
    visitor.verify_email(scenarios.token_of(second), now=now)
    assert scenarios.again(first).state == State.CANCELLED
    assert scenarios.again(first).reason == Reason.SUPERSEDED
    with pytest.raises(Refused) as refused:
        visitor.verify_email(scenarios.token_of(first), now=now)
    assert refused.value.code is Code.DRAFT_SUPERSEDED


def test_a_draft_of_a_known_address_with_an_active_booking_keeps_nothing_of_the_new_text(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    visitor.submit_draft(scenarios.draft_of(now=now, full_name="Somebody Else", user_message="secret"), now=now)
    assert Booking.objects.count() == 1
    assert Client.objects.get(email=ASHA).full_name == "Asha Rao"
    assert scenarios.notices_about(booking)[-1] == Notice.ALREADY_BOOKED
    token = scenarios.token_of(booking, Notice.ALREADY_BOOKED)
    assert visitor.verify_email(token, now=now).pk == booking.pk


def test_a_draft_never_changes_a_known_client(now: datetime) -> None:
    Client.objects.create(email=ASHA, full_name="Asha R.", created_at=now)
    scenarios.submitted(now=now)
    assert Client.objects.get(email=ASHA).full_name == "Asha R."
    assert Client.objects.get(email=ASHA).city == ""


def test_verifying_fills_only_what_we_did_not_know(now: datetime) -> None:
    Client.objects.create(email=ASHA, full_name="Asha R.", created_at=now)
    scenarios.pending(now=now)
    assert Client.objects.values_list("full_name", "city").get(email=ASHA) == ("Asha R.", "Pune")


@pytest.mark.parametrize("token", ["", "x", "not-a-token", "\ud800", "a" * 5000, "\x00"])
def test_an_unknown_token_is_refused(token: str, now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        visitor.verify_email(token, now=now)
    assert refused.value.code is Code.LINK_UNKNOWN


@pytest.mark.parametrize(("early", "state"), [(1, State.PENDING), (0, None), (-1, None)])
def test_a_draft_can_be_verified_until_its_deadline(early: int, state: str | None, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    at = now + policy.DRAFT_LIFETIME - timedelta(seconds=early)
    if state:
        assert visitor.verify_email(scenarios.token_of(booking), now=at).state == state
        return
    with pytest.raises(Refused) as refused:
        visitor.verify_email(scenarios.token_of(booking), now=at)
    assert refused.value.code is Code.DRAFT_LAPSED
    assert scenarios.again(booking).state == State.DRAFT


def test_the_practice_has_open_time_to_answer(now: datetime) -> None:
    ClosedDay.objects.create(weekday=6)  # Sundays
    ClosedDay.objects.create(date=date(2026, 11, 25), note="holiday")
    booking = scenarios.pending(now=now)
    # 72 h of open time from Monday 10:00: Wednesday the 25th does not count
    assert booking.due_at == now + timedelta(hours=72 + 24)


def test_a_weekly_closed_day_stretches_the_answer_over_the_weekend() -> None:
    ClosedDay.objects.create(weekday=6)
    saturday = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)
    booking = scenarios.pending(now=saturday)
    assert booking.due_at == saturday + timedelta(hours=72 + 24)


def test_a_stranger_causes_three_mails_an_hour_and_the_rest_is_kept_suppressed(now: datetime) -> None:
    for index in range(5):
        scenarios.submitted(now=now, user_message=str(index))
    states = list(Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).order_by("pk").values_list("state", flat=True))
    assert states == [MessageState.WAITING] * 3 + [MessageState.SUPPRESSED] * 2
    assert Message.objects.filter(kind=Notice.DRAFT_STILL_UNVERIFIED).count() == 3
    scenarios.submitted(RAVI, now=now)
    assert Message.objects.filter(recipient=RAVI, state=MessageState.WAITING).count() == 2


def test_a_stranger_causes_five_mails_a_day(now: datetime) -> None:
    for hour in range(8):
        scenarios.submitted(now=now + timedelta(hours=2 * hour), user_message=str(hour))
    sent = Message.objects.filter(kind=Notice.DRAFT_SUBMITTED).exclude(state=MessageState.SUPPRESSED)
    assert sent.count() == 5


def test_the_link_is_sent_again_for_an_active_booking(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    visitor.request_link(ASHA, now=now)
    assert scenarios.notices_about(booking)[-1] == Notice.LINK_REQUESTED
    assert visitor.verify_email(scenarios.token_of(booking, Notice.LINK_REQUESTED), now=now).pk == booking.pk


def test_a_live_draft_gets_a_fresh_verification(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    visitor.request_link(ASHA, now=now)
    assert scenarios.notices_about(booking).count(Notice.DRAFT_SUBMITTED) == 2
    assert visitor.verify_email(scenarios.token_of(booking), now=now).state == State.PENDING


def test_an_address_without_anything_open_is_told_so(now: datetime) -> None:
    visitor.request_link(RAVI, now=now)
    message = Message.objects.get()
    assert (message.kind, message.recipient, message.booking_id) == (Notice.NOTHING_OPEN, RAVI, None)


def test_links_live_as_long_as_the_booking_and_thirty_days_more(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = scenarios.token_of(booking)
    assert not Link.objects.exclude(expires_at=None).exists()
    due_at = booking.due_at
    assert due_at is not None
    timers.close_unanswered(booking.pk, now=due_at)
    assert visitor.verify_email(token, now=due_at + timedelta(days=30, seconds=-1)).state == State.CANCELLED
    with pytest.raises(Refused) as refused:
        visitor.verify_email(token, now=due_at + timedelta(days=30))
    assert refused.value.code is Code.LINK_EXPIRED


def test_an_old_bookings_link_never_touches_a_newer_booking(now: datetime) -> None:
    old = scenarios.pending(now=now)
    assert old.due_at is not None
    timers.close_unanswered(old.pk, now=old.due_at)
    later = old.due_at + timedelta(days=1)
    new = scenarios.submitted(now=later)
    assert visitor.verify_email(scenarios.token_of(old), now=later).pk == old.pk
    assert scenarios.again(new).state == State.DRAFT


def test_an_acknowledgement_id_that_exists_is_drawn_again(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = scenarios.submitted(now=now).acknowledgement_id
    drawn = iter([*taken[3:], *"7ZZZZZ"])
    monkeypatch.setattr("backend.bookings.models.secrets.choice", lambda _alphabet: next(drawn))
    assert scenarios.submitted(RAVI, now=now).acknowledgement_id == "MS-7ZZZZZ"


def test_a_crash_after_the_transition_leaves_neither_state_nor_message(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = scenarios.submitted(now=now)
    owed = Message.objects.count()

    def crash(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the next line")

    monkeypatch.setattr(creation, "notify_staff", crash)
    with pytest.raises(RuntimeError):
        visitor.verify_email(scenarios.token_of(booking), now=now)
    assert scenarios.again(booking).state == State.DRAFT
    assert Message.objects.count() == owed
    assert LedgerEntry.objects.filter(booking=booking).count() == 1


def test_the_drafts_fields_reach_the_booking(now: datetime) -> None:
    draft = replace(scenarios.draft_of(now=now), user_message="quiet words")
    visitor.submit_draft(draft, now=now)
    booking = Booking.objects.get()
    assert booking.user_message == "quiet words"
    assert (booking.full_name, booking.region, booking.age) == (draft.full_name, draft.region, draft.age)
