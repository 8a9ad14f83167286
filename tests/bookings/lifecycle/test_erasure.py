"""To be erased: asked, proved by mail, stopped, put off, carried out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings import policy, queries
from backend.bookings.lifecycle import (
    cancellation,
    desk_money,
    erasure,
    erasure_requests,
    follow_ups,
    refunds,
    timers,
    visitor,
)
from backend.bookings.machine import State
from backend.bookings.models import Booking, DataRequest, LedgerEntry, Link, Purpose, RequestState, WaitsFor
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.core.errors import Code, Refused
from backend.core.personal_data import emptied, personal_columns
from backend.notifications import delivery
from backend.ops import purges
from backend.outbox import messages
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment, Refund, RefundState
from backend.people.models import Client, Enquiry, Location
from tests.support import erasures, factories, holder, scenarios
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def again(request: DataRequest) -> DataRequest:
    return DataRequest.objects.get(pk=request.pk)


def owed(notice: Notice) -> list[Message]:
    return list(Message.objects.filter(kind=notice).order_by("pk"))


# -- asked and proved --------------------------------------------------------------------------------------------------


@pytest.mark.sqlite_only
def test_it_is_asked_once_and_begins_when_it_is_proved(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    token = erasures.data_token(booking, now=now)
    request = erasure_requests.ask_erasure(token, now=now)
    assert erasure_requests.ask_erasure(token, now=now + timedelta(hours=1)).pk == request.pk
    (mail,) = owed(Notice.ERASURE_REQUESTED)
    assert (mail.recipient, request.state, request.deadline) == (ASHA, RequestState.ASKED, now + timedelta(days=90))
    link = erasures.erasure_token(request)
    for _ in range(2):
        proved = erasure_requests.prove_erasure(link, now=now + DAY - SECOND)
    assert (proved.state, proved.due_at) == (RequestState.WAITING, now + DAY - SECOND + policy.ERASURE_AFTER)
    assert len(owed(Notice.ERASURE_PLANNED)) == 1
    assert queries.open_data_requests().get() == proved


@pytest.mark.sqlite_only
def test_what_nobody_proved_in_time_lapses_and_can_be_asked_again(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    request = erasures.asked(booking, now=now)
    at = now + policy.DATA_LINK_LIFETIME
    with pytest.raises(Refused) as refused:
        erasure_requests.prove_erasure(erasures.erasure_token(request), now=at)
    assert refused.value.code == Code.LINK_EXPIRED
    assert not queries.data_requests_due(now=at - SECOND)
    assert list(queries.data_requests_due(now=at)) == [request]
    erasure.carry_out(request.pk, now=at)
    assert again(request).state == RequestState.LAPSED
    assert erasures.asked(booking, now=at).state == RequestState.ASKED
    assert scenarios.again(booking).email == ASHA


@pytest.mark.sqlite_only
def test_the_link_of_another_purpose_proves_nothing(now: datetime) -> None:
    token = erasures.data_token(scenarios.rejected(now=now), now=now)
    with pytest.raises(Refused) as refused:
        erasure_requests.prove_erasure(token, now=now)
    assert refused.value.code == Code.LINK_UNKNOWN


@pytest.mark.sqlite_only
def test_it_can_be_stopped_until_its_day_by_any_of_its_mails(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    request = erasures.proved(booking, now=now)
    stopped = erasure_requests.stop_erasure(
        erasures.erasure_token(request, Notice.ERASURE_PLANNED), now=now + policy.ERASURE_AFTER - SECOND
    )
    assert stopped.state == RequestState.STOPPED
    erasure.carry_out(request.pk, now=now + 400 * DAY)
    assert scenarios.again(booking).email == ASHA
    (mail,) = owed(Notice.ERASURE_PLANNED)
    assert delivery.prepare(mail, now=now) is None
    (told,) = owed(Notice.ERASURE_STOPPED)  # else they would wait for the day
    assert delivery.prepare(told, now=now) is not None


# -- put off -----------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite_only
def test_it_waits_for_a_session_and_says_until_when(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + 20 * DAY)
    assert booking.due_at is not None
    request = erasures.proved(booking, now=now)
    until = booking.due_at + policy.ERASURE_LOOKS_AGAIN
    assert (request.waits_for, request.due_at) == (WaitsFor.BOOKING, until)
    facts = delivery.prepare(owed(Notice.ERASURE_PLANNED)[0], now=now)
    assert facts is not None
    assert facts["waits_for_booking"]
    timers.complete_session(booking.pk, now=booking.due_at)
    erasure.carry_out(request.pk, now=until - SECOND)
    assert scenarios.again(booking).email == ASHA
    erasure.carry_out(request.pk, now=until)
    assert (scenarios.again(booking).email, again(request).state) == ("", RequestState.DONE)


@pytest.mark.sqlite_only
def test_the_link_that_stops_it_lasts_as_long_as_it_can_wait(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + policy.SLOT_HORIZON)
    request = erasures.proved(booking, now=now)
    assert request.due_at is not None
    purges.purge(Kind.LINKS, now=request.due_at - SECOND)
    link = erasures.erasure_token(request, Notice.ERASURE_PLANNED)
    assert erasure_requests.stop_erasure(link, now=request.due_at - SECOND).state == RequestState.STOPPED


@pytest.mark.sqlite_only
def test_a_session_that_was_booked_since_puts_it_off_and_is_told(now: datetime) -> None:
    request = erasures.proved(scenarios.rejected(now=now), now=now)
    booking = scenarios.confirmed(now=now, at=now + 20 * DAY, who=scenarios.psychologist("Dr. New"))
    erasure.carry_out(request.pk, now=now + policy.ERASURE_AFTER)
    waiting = again(request)
    assert booking.due_at is not None
    assert (waiting.waits_for, waiting.due_at) == (WaitsFor.BOOKING, booking.due_at + policy.ERASURE_LOOKS_AGAIN)
    assert len(owed(Notice.ERASURE_PLANNED)) == 2
    assert scenarios.again(booking).email == ASHA


@pytest.mark.sqlite_only
@pytest.mark.parametrize("state", [RefundState.QUEUED, RefundState.UNFINISHED, RefundState.REFUSED])
def test_it_waits_for_money_that_is_on_its_way_back(state: RefundState, now: datetime) -> None:
    booking = factories.make_booking(State.CANCELLED, now=now)
    payment = factories.make_payment(booking, now=now, is_unexpected=state == RefundState.QUEUED)
    refund = factories.make_refund(payment, now=now, state=state)
    request = factories.make_data_request(RequestState.WAITING, booking=booking, now=now)
    at = now + policy.ERASURE_AFTER
    erasure.carry_out(request.pk, now=at)
    assert (again(request).waits_for, again(request).due_at) == (WaitsFor.REFUND, at + policy.REFUND_ASKED_FOR)
    Refund.objects.filter(pk=refund.pk).update(state=RefundState.DONE, settled_at=at)
    erasure.carry_out(request.pk, now=at + policy.REFUND_ASKED_FOR)
    assert again(request).state == RequestState.DONE


def unpaid(*, now: datetime, **changes: object) -> Booking:
    """It took place at the practice, and nobody recorded that it was paid."""
    rooms = Location.objects.create(name="Rooms", address="1 Road, Pune")
    who = scenarios.psychologist(location=rooms)
    booking = scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")
    timers.complete_session(booking.pk, now=booking.due_at)
    Booking.objects.filter(pk=booking.pk).update(**changes)
    return scenarios.again(booking)


@pytest.mark.sqlite_only
def test_it_waits_a_while_for_a_session_that_is_not_recorded_as_paid_and_says_so(now: datetime) -> None:
    booking = unpaid(now=now)
    assert booking.slot_end is not None
    until, at = booking.slot_end + policy.UNPAID_HOLDS_ERASURE, now + 3 * DAY
    request = erasures.proved(booking, now=at)
    assert (request.waits_for, request.due_at) == (WaitsFor.PAYMENT, until)
    facts = delivery.prepare(owed(Notice.ERASURE_PLANNED)[0], now=at)
    assert facts is not None
    assert facts["waits_for_payment"]
    erasure.carry_out(request.pk, now=until - SECOND)
    assert scenarios.again(booking).email == ASHA
    erasure.carry_out(request.pk, now=until)
    assert (scenarios.again(booking).email, again(request).state) == ("", RequestState.DONE)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("changes", "days"), [({"outcome": "practice_absent"}, 3), ({"amount_paise": 0}, 3), ({}, 11)])
def test_it_waits_for_nothing_that_is_not_owed_or_was_owed_for_long(
    changes: dict[str, object], days: int, now: datetime
) -> None:
    at = now + days * DAY
    request = erasures.proved(unpaid(now=now, **changes), now=at)
    assert (request.waits_for, request.due_at) == ("", at + policy.ERASURE_AFTER)


@pytest.mark.sqlite_only
def test_who_paid_meanwhile_is_erased_on_the_day_that_was_told(now: datetime) -> None:
    booking, at = unpaid(now=now), now + 3 * DAY
    request = erasures.proved(booking, now=at)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=at)
    assert request.due_at is not None
    erasure.carry_out(request.pk, now=request.due_at)
    assert again(request).state == RequestState.DONE


# -- carried out -------------------------------------------------------------------------------------------------------


def test_nothing_of_the_person_stays_in_the_rows_and_the_ledger_is_as_it_was(now: datetime) -> None:
    booking, other = scenarios.completed(now=now), scenarios.pending(RAVI, now=now)
    client, at = booking.client, (booking.due_at or now) + DAY
    assert client is not None
    client.city = "Nagpur"
    client.save()
    payment, ledger = Payment.objects.values().get(), list(LedgerEntry.objects.values())
    request = erasures.proved(scenarios.again(booking), now=at)
    scenarios.submitted(now=at)  # a stranger's draft under the address holds nothing up
    day = at + policy.ERASURE_AFTER
    erasure.carry_out(request.pk, now=day)
    assert {row.state for row in Booking.objects.exclude(pk=other.pk)} == {State.COMPLETED, State.CANCELLED}
    for row in Booking.objects.exclude(pk=other.pk):
        assert {getattr(row, name) for name in personal_columns(Booking)} == {"", None}
        assert row.purged_at == day
    assert not Client.objects.filter(pk=client.pk).exists()
    assert not Client.history.filter(id=client.pk).exists()
    assert Payment.objects.values().get() == payment
    assert list(LedgerEntry.objects.values())[: len(ledger)] == ledger
    assert set(Link.objects.exclude(booking=other).values_list("purpose", flat=True)) == {Purpose.ERASURE}
    assert scenarios.again(other).email == RAVI
    assert Message.objects.filter(recipient=ASHA).get().kind == Notice.ERASURE_DONE
    assert erasure_requests.erasure_of(erasures.erasure_token(request)).state == RequestState.DONE
    assert again(request).client_id is None


@pytest.mark.sqlite_only
def test_a_mail_in_hand_is_not_handed_over_and_the_last_one_is_blanked_as_it_leaves(now: datetime) -> None:
    request = erasures.proved(scenarios.rejected(now=now), now=now)
    at = now + policy.ERASURE_AFTER
    in_hand = {row.kind: row for row in messages.claim(queue=messages.Queue.MAIL, now=at - SECOND)}
    erasure.carry_out(request.pk, now=at)
    planned = in_hand[Notice.ERASURE_PLANNED]
    planned.context, planned.frozen_at = {"due_on": "today"}, at
    assert not holder.hand_over(planned)
    (last,) = owed(Notice.ERASURE_DONE)
    assert purges.purge(Kind.ANSWERS, now=at) == 0
    Message.objects.filter(pk=last.pk).update(state=MessageState.DONE, settled_at=at)
    assert purges.purge(Kind.ANSWERS, now=at) == 1
    assert not Message.objects.filter(recipient=ASHA).exists()


@pytest.mark.sqlite_only
def test_enquiries_that_name_the_address_go_and_others_stay(now: datetime) -> None:
    request = erasures.proved(scenarios.rejected(now=now), now=now)
    factories.make_enquiry(now=now, text="Write to Asha@Example.org, please.")
    factories.make_enquiry(now=now, subject=f"From {ASHA}", text="Hello.")
    kept = [factories.make_enquiry(now=now, text=text).pk for text in (f"natasha@x.example, not {ASHA}.uk", "Hi.")]
    kept.append(factories.make_enquiry(now=now, text=f"x{ASHA}").pk)
    erasure.carry_out(request.pk, now=now + policy.ERASURE_AFTER)
    assert sorted(Enquiry.objects.values_list("pk", flat=True)) == sorted(kept)


@pytest.mark.sqlite_only
def test_an_address_that_was_theirs_by_mistake_is_left_to_whose_it_is(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    assert booking.client is not None
    for address in (RAVI, ASHA):  # staff typed the wrong one, and put it right
        booking.client.email = address
        booking.client.save()
    visitor.request_link(RAVI, now=now)
    other = scenarios.pending(RAVI, now=now)
    factories.make_enquiry(now=now, text=f"Write to {RAVI}.")
    request = erasures.proved(booking, now=now)
    erasure.carry_out(request.pk, now=now + policy.ERASURE_AFTER)
    assert again(request).state == RequestState.DONE
    assert owed(Notice.NOTHING_OPEN)[0].recipient == RAVI
    assert Enquiry.objects.count() == 1
    assert Message.objects.filter(booking_id=other.pk, recipient=RAVI).exists()


@pytest.mark.sqlite_only
def test_an_erased_booking_is_unknown_at_every_door_and_tells_nobody(now: datetime) -> None:
    booking = scenarios.completed(now=now)
    at = (booking.due_at or now) + DAY
    request = erasures.proved(booking, now=at)
    erasure.carry_out(request.pk, now=at + policy.ERASURE_AFTER)
    doors: list[Any] = [
        lambda: cancellation.request_cancellation(booking.acknowledgement_id, now=at),
        lambda: follow_ups.book_series(
            booking.pk, follow_ups.Series((at + 30 * DAY,)), actor="staff:desk", now=at + 8 * DAY
        ),
    ]
    for door in doors:
        with pytest.raises(Refused) as refused:
            door()
        assert refused.value.code == Code.BOOKING_UNKNOWN
    assert not queries.proved(booking.acknowledgement_id).exists()
    refunds.grant_refund(booking.pk, None, actor="staff:desk", now=at + 8 * DAY)
    assert not owed(Notice.REFUND_QUEUED)


@pytest.mark.sqlite_only
def test_the_mails_about_a_draft_that_was_purged_before_go_with_the_rest(now: datetime) -> None:
    scenarios.rejected(now=now)
    draft = scenarios.submitted(now=now)
    client = scenarios.again(draft).client
    Booking.objects.filter(pk=draft.pk).update(**emptied(Booking), purged_at=now)
    assert client is not None
    request = erasure_requests.record_erasure(client.pk, actor="staff:owner", now=now)
    erasure.carry_out(request.pk, now=now + policy.ERASURE_AFTER)
    assert Message.objects.filter(recipient=ASHA).get().kind == Notice.ERASURE_DONE
    assert not Link.objects.filter(booking=draft).exists()


@pytest.mark.sqlite_only
def test_who_waits_to_be_erased_goes_whole_on_that_day_and_not_with_their_draft_before(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    assert booking.client is not None
    timers.lapse_draft(booking.pk, now=now + policy.DRAFT_LIFETIME)
    purged_at = now + policy.DRAFT_LIFETIME + RULES[Kind.DRAFTS].kept
    request = erasure_requests.record_erasure(booking.client.pk, actor="staff:owner", now=purged_at - DAY)
    assert not queries.drafts_to_purge(now=purged_at)
    assert timers.purge_draft.batch(now=purged_at) == {}
    assert not timers.purge_draft(booking.pk, now=purged_at)
    erasure.carry_out(request.pk, now=purged_at + policy.ERASURE_AFTER)
    assert again(request).state == RequestState.DONE
    assert Message.objects.filter(recipient=ASHA).get().kind == Notice.ERASURE_DONE
