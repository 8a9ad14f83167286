"""Every refusal has one status and its sentences, and the API, the desk and the commands answer with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.html import escape

from backend.bookings.lifecycle import approval, cancellation, desk_money, follow_ups, front_desk, refunds, series
from backend.bookings.lifecycle.rescheduling import reschedule
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.refusals import ALL, ANSWERS, sentence, staff_sentence
from backend.core.errors import Code, Refused
from tests.support import api, scenarios, staff_api, working_hours
from tests.support.admin_site import action_url, form_of, owner, session_form, written
from tests.support.admin_site import caller_form as a_call
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

IN_THE_API = {"record-payment": "desk-payment", "record-outcome": "outcome", "void-payment": "void-desk-payment"}
A_SLOT = "2026-11-25T18:00:00+05:30"  # what `session_form` types


@pytest.fixture(autouse=True)
def _sandbox(settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(now, tick=False) as travelled:
        yield travelled


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_code_has_exactly_one_entry() -> None:
    assert sorted(answer.code for answer in ALL) == sorted(Code)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("code", Code)
def test_every_refusal_has_a_status_and_sentences_that_can_be_filled_in(code: Code) -> None:
    assert 400 <= ANSWERS[code].status <= 503
    for told in (sentence(code, {}), staff_sentence(Refused(code))):
        assert re.fullmatch(r"[^{}]{10,}", told)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("state", State)
def test_each_state_says_why_it_refuses(state: State) -> None:
    assert sentence(Code.STATE_REFUSES, {"state": state}) != sentence(Code.STATE_REFUSES, {})
    assert sentence(Code.STATE_REFUSES, {"state": state.value}) == sentence(Code.STATE_REFUSES, {"state": state})


def test_staff_are_told_to_send_nothing() -> None:
    """What a client of the API sends is a box on the desk's form."""
    for code in Code:
        assert not re.search(r"\bsend [a-z]+_", staff_sentence(Refused(code)))


def test_staff_read_another_sentence_only_where_it_says_something_else() -> None:
    for answer in ALL:
        assert answer.for_staff != answer.sentence
        assert answer.form_field == "" or answer.form_field != answer.field


def test_what_staff_intend_is_documented_with_codes_of_the_table() -> None:
    intents = (
        approval.approve, approval.reject, reschedule, cancellation.cancel_by_staff, front_desk.create_by_staff,
        follow_ups.book_series, follow_ups.book_follow_up, series.move_series, series.cancel_series,
        desk_money.record_desk_payment, void_desk_payment, front_desk.sponsor, front_desk.record_outcome,
        refunds.grant_refund, refunds.record_refund_made,
    )  # fmt: skip
    for intent in intents:
        documented = re.sub(r"\([^)]*\)", "", (intent.__doc__ or "").partition("Refuses:")[2])
        assert set(re.findall(r"[a-z]+_[a-z_]+", documented)) <= {code.value for code in ANSWERS}, intent


# -- both doors --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """One refusal as it is met at both doors: what is typed in the desk's form and what a client of the API sends."""

    code: Code
    action: str
    begin: Callable[[datetime], Booking]
    typed: dict[str, str]
    sent: dict[str, Any]
    psychologist: dict[str, object] = field(default_factory=dict)
    at: timedelta = timedelta(0)


def a_request(now: datetime, **changes: object) -> Booking:
    return scenarios.pending(now=now, **changes)


def beside_another(now: datetime) -> Booking:
    """Ravi has the slot that is typed."""
    who = working_hours.psychologist("Dr. Taken", hours="", email="taken@example.org")
    scenarios.approved(RAVI, now=now, who=who, at=datetime.fromisoformat(A_SLOT))
    return a_request(now)


def asked_to_cancel(now: datetime) -> Booking:
    booking = a_request(now)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return booking


def confirmed(now: datetime) -> Booking:
    return scenarios.confirmed(now=now)


DOORS = [
    Door(Code.PSYCHOLOGIST_REQUIRED, "approve", a_request, {"psychologist": ""}, {"psychologist_id": 999}),
    Door(Code.SLOT_TAKEN, "approve", beside_another, {}, {}),
    Door(Code.SLOT_PAST, "approve", a_request, {"slot_start_0": "2026-11-22"}, {"slot_start": "2026-11-22T18:00:00Z"}),
    Door(Code.SLOT_INVALID, "approve", a_request, {"length": "241"}, {"slot_minutes": 241}),
    Door(Code.MEETING_LINK_REQUIRED, "approve", a_request, {}, {}, {"meeting_link": ""}),
    Door(Code.ADDRESS_REQUIRED, "approve", lambda now: a_request(now, mode="OFFLINE"), {}, {}),
    Door(Code.GUARDIAN_CONSENT_REQUIRED, "approve", lambda now: a_request(now, age=17), {}, {}),
    Door(Code.AMOUNT_INVALID, "approve", a_request, {"amount": "100000.01"}, {"amount": "100000.01"}),
    Door(Code.CANCELLATION_PENDING, "approve", asked_to_cancel, {}, {}),
    Door(Code.STATE_REFUSES, "approve", confirmed, {}, {}),
    Door(
        Code.REFUND_REASON_REQUIRED,
        "cancel",
        confirmed,
        {"refund": "none", "called_off_by": "practice"},
        {"refund": "none"},
    ),
    Door(Code.REFUND_EXCEEDS_CAPTURE, "refund", confirmed, {"amount": "1500.01"}, {"amount": "1500.01"}),
    Door(Code.ALREADY_PAID, "record-payment", confirmed, {}, {}),
    Door(Code.NOT_PAID_AT_DESK, "void-payment", confirmed, {"why": "wrong_sum"}, {"why": "wrong_sum"}),
    Door(Code.OUTCOME_CLOSED, "record-outcome", confirmed, {"outcome": "attended"}, {"outcome": "attended"}),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.code}")
def test_the_api_and_the_desk_answer_the_same_refusal_with_the_same_status(door: Door, now: datetime) -> None:
    booking = door.begin(now)
    who = scenarios.again(booking).psychologist or scenarios.psychologist(**door.psychologist)
    if door.code is Code.SLOT_TAKEN:
        who = Booking.objects.get(email=RAVI).psychologist
    is_session = door.action == "approve"
    typed = session_form(booking, who, **door.typed) if is_session else form_of(booking, **door.typed)
    sent = {"psychologist_id": who.pk, "slot_start": A_SLOT, **door.sent} if is_session else door.sent
    before = written()
    by_hand = owner("by-hand").post(action_url(booking, door.action), typed)
    path = IN_THE_API.get(door.action, door.action)
    by_api = staff_api.desk().act(booking, path, sent)
    assert api.error(by_api, by_hand.status_code, door.code)["detail"]
    assert by_hand.status_code == ANSWERS[door.code].status
    assert escape(ANSWERS[door.code].desk_sentence.partition("{")[0].strip()) in by_hand.content.decode()
    assert written() == before


def test_the_command_reads_the_same_table(now: datetime) -> None:
    booking, who = a_request(now, age=17), scenarios.psychologist()
    with pytest.raises(CommandError) as error:
        call_command("approve_booking", str(booking), psychologist=str(who.pk), at="2026-11-25 18:00")
    refused = Refused(Code.GUARDIAN_CONSENT_REQUIRED)
    assert str(error.value) == f"{refused.code}: {staff_sentence(refused)}"


def test_a_slot_that_passed_while_a_caller_spoke_is_refused_beside_its_field(now: datetime) -> None:
    """The page had no sentence for what a request on the phone may meet as well, and crashed."""
    who = working_hours.psychologist()
    past = f"{who.pk}@{(now - timedelta(minutes=1)).isoformat()}"
    before = written()
    answer = owner().post(reverse("admin:bookings_booking_new"), a_call(offered=past))
    assert answer.status_code == ANSWERS[Code.WISH_PAST].status
    assert answer.context["form"].errors["offered"] == [staff_sentence(Refused(Code.WISH_PAST))]
    assert written() == before
