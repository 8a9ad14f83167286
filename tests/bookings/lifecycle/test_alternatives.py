"""A rejection offers other times: nobody holds them, the first who comes has one, and its siblings end with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings import links, policy, queries
from backend.bookings.lifecycle import alternatives, approval, attempts, payments
from backend.bookings.lifecycle.alternatives import OfferedSlot, alternative_offers
from backend.bookings.machine import State
from backend.bookings.models import Alternative, Booking, LedgerEntry, Link, Origin, Purpose, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.people.models import Corporate, Location, Psychologist
from tests.support import mails, scenarios, working_hours
from tests.support.alternatives import rejected, times, tokens
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI
from tests.support.sponsors import acme, sponsored, with_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
STAFF = {"actor": "staff:desk"}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist()


def take(token: str, *, now: datetime) -> Booking:
    return alternatives.take_alternative(token, now=now)


def code_of(call: Callable[[], object]) -> Code:
    before, claims = everything(), list(SlotClaim.objects.values())
    with pytest.raises(Refused) as refused:
        call()
    assert (everything(), list(SlotClaim.objects.values())) == (before, claims)
    return refused.value.code


# -- offering ---------------------------------------------------------------------------------------------------------


def test_a_rejection_offers_times_that_nobody_holds(who: Psychologist, now: datetime) -> None:
    booking = rejected(who, now)
    assert booking.state == State.REJECTED
    rows = Alternative.objects.filter(booking=booking).values_list("number", "slot_start", "slot_end", "amount_paise")
    assert list(rows) == [(n, now + (n + 2) * DAY, now + (n + 2) * DAY + HOUR, 150_000) for n in (1, 2, 3)]
    assert not SlotClaim.objects.exists()
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").details == {"alternatives": 3}
    found = Link.objects.filter(booking=booking, purpose=Purpose.ALTERNATIVE)
    assert set(found.values_list("expires_at", flat=True)) == {now + policy.ALTERNATIVE_LINK_LIFETIME}
    assert len(set(tokens(booking))) == 3


def test_a_link_does_not_outlive_its_time(now: datetime) -> None:
    who = scenarios.psychologist()
    booking = scenarios.pending(now=now)
    offers = [OfferedSlot(who.pk, now + 40 * HOUR), OfferedSlot(who.pk, now + 60 * HOUR)]
    approval.reject(booking.pk, note_to_visitor="", offers=offers, now=now, **STAFF)
    found = Link.objects.filter(booking=booking, purpose=Purpose.ALTERNATIVE).order_by("pk")
    assert list(found.values_list("expires_at", flat=True)) == [now + 40 * HOUR, now + 48 * HOUR]


def test_what_cannot_be_offered_is_refused_and_nothing_is_rejected(who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    held = scenarios.approved(RAVI, now=now, who=who, at=now + 3 * DAY)
    gone = working_hours.psychologist("Dr. Gone", is_active=False)
    linkless = scenarios.psychologist("Dr. Linkless", meeting_link="")
    ahead = now + 4 * DAY
    refusals = [
        (times(who, now, 4), Code.TOO_MANY_ALTERNATIVES),
        ([OfferedSlot(who.pk, ahead), OfferedSlot(who.pk, held.slot_start)], Code.SLOT_TAKEN),
        ([OfferedSlot(who.pk, now - DAY)], Code.SLOT_PAST),
        ([OfferedSlot(who.pk, ahead, timedelta(hours=5))], Code.SLOT_INVALID),
        ([OfferedSlot(who.pk, ahead - 6 * HOUR)], Code.OUTSIDE_HOURS),
        ([OfferedSlot(gone.pk, ahead)], Code.PSYCHOLOGIST_REQUIRED),
        ([OfferedSlot(999, ahead)], Code.PSYCHOLOGIST_REQUIRED),
        ([OfferedSlot(linkless.pk, ahead)], Code.MEETING_LINK_REQUIRED),
    ]
    for offers, code in refusals:
        reject = lambda o=offers: approval.reject(booking.pk, note_to_visitor="", offers=o, now=now, **STAFF)  # noqa: E731
        assert code_of(reject) is code
    assert scenarios.again(booking).state == State.PENDING


def test_times_outside_the_hours_are_offered_after_a_second_look(who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    offers = [OfferedSlot(who.pk, now + 4 * DAY - 2 * HOUR, despite_hours=True)]
    booking = approval.reject(booking.pk, note_to_visitor="", offers=offers, now=now, **STAFF)
    assert take(tokens(booking)[0], now=now).state == State.APPROVED


def test_a_minor_is_offered_times_with_the_guardians_consent(who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now, age=16)
    reject = lambda **more: approval.reject(  # noqa: E731
        booking.pk, note_to_visitor="", offers=times(who, now), now=now, **more, **STAFF
    )
    assert code_of(reject) is Code.GUARDIAN_CONSENT_REQUIRED
    taken = take(tokens(reject(guardian_consent=scenarios.GUARDIAN))[0], now=now)
    assert (taken.guardian_consent_at, taken.guardian_consent_by) == (now, "staff:desk")
    assert (taken.guardian_name, taken.guardian_proof) == (scenarios.GUARDIAN.name, "document")


def test_a_minor_is_rejected_without_any_consent(now: datetime) -> None:
    booking = scenarios.pending(now=now, age=16)
    assert approval.reject(booking.pk, note_to_visitor="", now=now, **STAFF).state == State.REJECTED


# -- taking -----------------------------------------------------------------------------------------------------------


def test_taking_one_makes_a_new_booking_that_is_approved_at_once(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    booking = scenarios.again(take(tokens(old)[1], now=now + HOUR))
    assert (booking.state, booking.origin, booking.client) == (State.APPROVED, Origin.VISITOR, old.client)
    assert (booking.full_name, booking.user_message, booking.mode) == (old.full_name, old.user_message, old.mode)
    assert (booking.psychologist, booking.slot_start, booking.amount_paise) == (who, now + 4 * DAY, 150_000)
    assert (booking.meeting_link, booking.pay_by) == (who.meeting_link, now + HOUR + DAY)
    assert booking.due_at == booking.pay_by + policy.PAY_GRACE
    assert SlotClaim.objects.get().booking == booking
    (entry,) = LedgerEntry.objects.filter(booking=booking)
    assert (entry.intent, entry.source, entry.target, entry.actor) == ("take_alternative", "", "APPROVED", "visitor")
    assert (entry.details["instead_of"], entry.details["alternative"]) == (old.pk, 2)
    assert scenarios.notices_about(booking) == [Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE]
    assert scenarios.again(old).state == State.REJECTED
    assert queries.progress(booking).visited == ["APPROVED"]


def test_the_price_is_the_one_that_was_offered(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    Psychologist.objects.filter(pk=who.pk).update(fee_paise=900_000)
    booking = take(tokens(old)[0], now=now)
    assert booking.amount_paise == 150_000
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert scenarios.again(booking).state == State.CONFIRMED


def test_the_second_click_and_the_siblings_lead_to_the_same_booking(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    booking = take(tokens(old)[1], now=now)
    before = everything()
    for token in tokens(old):
        assert take(token, now=now) == booking
        assert alternative_offers(token, now=now).taken == booking
    assert everything() == before
    found = Link.objects.filter(booking=old, purpose=Purpose.ALTERNATIVE).order_by("pk")
    assert [bool(link.spent_at) for link in found] == [False, True, False]
    assert all(link.expires_at <= now for link in found if not link.spent_at)


def test_a_time_that_is_gone_is_refused_and_the_others_are_left(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    scenarios.approved(RAVI, now=now, who=who, at=now + 4 * DAY)
    first, second, third = tokens(old)
    assert code_of(lambda: take(second, now=now)) is Code.SLOT_TAKEN
    offered = alternative_offers(second, now=now).offered
    assert [(row.is_free, row.is_asked, row.token) for row in offered] == [
        (True, False, first),
        (False, True, second),
        (True, False, third),
    ]
    assert take(third, now=now).state == State.APPROVED


def test_two_visitors_who_were_offered_the_same_time_do_not_both_get_it(who: Psychologist, now: datetime) -> None:
    mine, theirs = rejected(who, now), rejected(who, now, RAVI)
    take(tokens(mine)[0], now=now)
    assert code_of(lambda: take(tokens(theirs)[0], now=now)) is Code.SLOT_TAKEN
    assert take(tokens(theirs)[1], now=now).email == RAVI


@pytest.mark.parametrize(("later", "is_open"), [(timedelta(0), False), (timedelta(microseconds=-1), True)])
def test_a_link_lives_two_days(later: timedelta, is_open: bool, who: Psychologist, now: datetime) -> None:
    (token, *_), at = tokens(rejected(who, now)), now + policy.ALTERNATIVE_LINK_LIFETIME + later
    if is_open:
        assert take(token, now=at).state == State.APPROVED
    else:
        assert code_of(lambda: take(token, now=at)) is Code.LINK_EXPIRED
        assert code_of(lambda: alternative_offers(token, now=at)) is Code.LINK_EXPIRED


def test_one_who_has_asked_again_has_no_second_booking(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    scenarios.pending(now=now)
    assert code_of(lambda: take(tokens(old)[0], now=now)) is Code.ALREADY_ACTIVE


def test_a_psychologist_who_left_gives_no_session(who: Psychologist, now: datetime) -> None:
    old = rejected(who, now)
    Psychologist.objects.filter(pk=who.pk).update(is_active=False)
    assert code_of(lambda: take(tokens(old)[0], now=now)) is Code.SLOT_TAKEN
    assert not any(row.is_free for row in alternative_offers(tokens(old)[0], now=now).offered)


def test_a_time_too_near_to_be_paid_is_refused(now: datetime) -> None:
    who, booking = scenarios.psychologist(), scenarios.pending(now=now)
    offers = [OfferedSlot(who.pk, now + HOUR)]
    approval.reject(booking.pk, note_to_visitor="", offers=offers, now=now, **STAFF)
    late = now + HOUR - policy.ONLINE_PAYMENT_NOTICE + timedelta(microseconds=1)
    assert code_of(lambda: take(tokens(booking)[0], now=late)) is Code.SLOT_TOO_NEAR


def test_a_token_of_another_purpose_takes_nothing(now: datetime) -> None:
    for token in ("none", scenarios.token_of(scenarios.pending(now=now), Notice.BOOKING_RECEIVED)):
        assert code_of(lambda t=token: take(t, now=now)) is Code.LINK_UNKNOWN


def test_what_is_due_at_the_practice_is_confirmed_at_once(now: datetime) -> None:
    who = scenarios.psychologist(location=Location.objects.create(name="Rooms", address="1 Old Street"))
    booking = take(tokens(rejected(who, now, mode="OFFLINE", payment_mode="OFFLINE"))[0], now=now)
    assert (booking.state, booking.address, booking.pay_by) == (State.CONFIRMED, "1 Old Street", None)
    assert queries.progress(booking).visited == ["APPROVED", "CONFIRMED"]
    assert scenarios.notices_about(booking)[0] == Notice.BOOKING_CONFIRMED


def test_a_sponsor_is_asked_and_if_it_has_nothing_left_the_visitor_pays(who: Psychologist, now: datetime) -> None:
    acme(sessions_a_month=2)
    sponsored("first@example.org", now=now)

    def taken(email: str, number: int) -> Booking:
        booking = with_code(email, now=now)
        offers = [times(who, now)[number]]
        approval.reject(booking.pk, note_to_visitor="", offers=offers, now=now, **STAFF)
        return take(tokens(booking)[0], now=now)

    covered, uncovered = taken(scenarios.ASHA, 0), taken(RAVI, 1)
    assert (covered.state, queries.payment_status_value(covered)) == (State.CONFIRMED, "sponsored")
    assert (uncovered.state, uncovered.corporate) == (State.APPROVED, None)
    assert LedgerEntry.objects.get(booking=uncovered).details["not_sponsored_by"] == Corporate.objects.get().pk


# -- the mail ---------------------------------------------------------------------------------------------------------


def mail_of(booking: Booking, now: datetime) -> Any:
    message = mails.frozen(Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED), now=now)
    return mails.delivery.compose(message, links.tokens_of(message.uuid))


def test_the_mail_lists_the_times_with_their_zone_price_and_link(who: Psychologist, now: datetime) -> None:
    booking = rejected(who, now)
    mail = mail_of(booking, now)
    assert mail.subject == f"Appointment request {booking.acknowledgement_id}: other times for you"
    for day, token in zip(("Thursday, 26", "Friday, 27", "Saturday, 28"), tokens(booking), strict=True):
        assert f"{day} November 2026, 10:00 IST\nwith Dr. Meera Iyer, ₹1,500.00\n" in mail.body
        assert f"/go/alternative/?token={token}" in mail.body
    until = "Nobody holds them for you meanwhile. The links work until Wednesday, 25 November 2026, 10:00 IST"
    assert until in mail.body


def test_the_mail_leaves_out_what_is_gone_before_it_leaves(who: Psychologist, now: datetime) -> None:
    booking = rejected(who, now)
    scenarios.approved(RAVI, now=now, who=who, at=now + 4 * DAY)
    mail = mail_of(booking, now)
    assert "Friday, 27" not in mail.body
    assert "Thursday, 26" in mail.body


def test_a_mail_that_leaves_too_late_offers_nothing(who: Psychologist, now: datetime) -> None:
    mail = mail_of(rejected(who, now), now + policy.ALTERNATIVE_LINK_LIFETIME)
    assert "we cannot take it on" in mail.subject
    assert "token" not in mail.body


def test_the_approvals_mail_knows_who_chose_the_time(who: Psychologist, now: datetime) -> None:
    booking = take(tokens(rejected(who, now))[0], now=now)
    message = mails.frozen(Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_APPROVED), now=now)
    mail = mails.delivery.compose(message, links.tokens_of(message.uuid))
    assert "We are holding the time that you have chosen for you." in mail.body
