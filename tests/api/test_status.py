"""The wire contract of looking, paying and pinging: what the released site sends, and what it reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.urls import resolve

from backend.bookings import policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import timers, visitor
from backend.bookings.machine import FINAL, State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from backend.payments.models import Payment
from tests.support import api, factories, scenarios
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

LATER = [state for state in State if state != State.DRAFT]


# -- check-status by id -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", LATER)
def test_the_status_of_a_booking_in_every_later_state(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    shown = api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    assert set(shown) == api.STATUS_FIELDS
    assert shown["status"] == state
    assert shown["timeline"][-1] == state
    assert len(shown["next_step"]) > 10
    assert "{" not in shown["next_step"]
    assert {"name": "Emergency", "number": "112"} in shown["support"]
    assert (shown["due_at"] is None) == (state in FINAL)


def test_the_status_shows_nothing_personal(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    response = api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id})
    for private in (ASHA, "Asha", "9876543210", "Pune", "Vikram", "talk to someone", "meet.example.org", "Meera"):
        assert private not in response.content.decode()


def test_times_and_sums_are_written_as_the_site_reads_them(now: datetime) -> None:
    hours = {"preferred_time_start": "16:30", "preferred_time_end": "18:05"}
    api.done(api.post(api.DRAFT, api.form(now, preferred_period="CUSTOM", **hours)), 201)
    booking = visitor.verify_email(scenarios.token_of(Booking.objects.get()), now=now)
    query = {"acknowledgement_id": booking.acknowledgement_id}
    shown = api.done(api.get(api.STATUS, query))
    assert {name: shown[name] for name in hours} == hours
    assert shown["preferred_date"] == "2026-11-26"
    assert shown["created_at"] == "2026-11-23T04:30:00Z"
    assert (shown["amount"], shown["approved_slot_start"], shown["approved_slot_end"]) == (None, None, None)
    approval = staff.Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now), amount_paise=99_905)
    staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    shown = api.done(api.get(api.STATUS, query))
    assert (shown["amount"], shown["approved_slot_start"]) == ("999.05", "2026-11-24T12:00:00Z")
    assert shown["timeline"] == [State.DRAFT, State.PENDING, State.APPROVED]


def test_what_may_be_done_stands_with_its_address_and_until_when(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    shown = api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    pay, cancel, _send_link = shown["allowed_actions"]
    assert pay == {
        "action": "pay",
        "method": "POST",
        "address": f"{settings.PUBLIC_URL}{api.INITIATE}",
        "send": ["acknowledgement_id"],
        "until": shown["deadline"],
    }
    assert (shown["deadline"], cancel["until"]) == ("2026-11-24T10:00:00+05:30", None)
    assert (shown["next_step_code"], shown["state_reason"]) == ("pay", None)
    for action in shown["allowed_actions"]:
        resolve(action["address"].removeprefix(settings.PUBLIC_URL))


def test_the_booking_link_tells_its_story_without_who_acted(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    shown = api.done(api.get(api.VERIFY, {"token": scenarios.token_of(booking)}))["booking"]
    assert [step["what"] for step in shown["history"]] == ["submit_draft", "verify_email", "approve"]
    assert [step["status"] for step in shown["history"]] == shown["timeline"]
    assert "staff" not in str(shown["history"])


@pytest.mark.parametrize("state", [State.APPROVED, State.PAYMENT_PENDING])
def test_the_deadline_shown_is_the_announced_one_without_the_grace(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    shown = api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    assert shown["due_at"] == "2026-11-23T16:30:00Z"
    assert "22:00 IST" in shown["next_step"]


def test_an_id_is_read_as_people_type_it(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now, acknowledgement_id="MS-10K011")
    for typed in ("MS-10K011", "ms-10k011", " MS-IOKOLI ", "ms-iokoll", "Ms-1oKo1i"):
        shown = api.done(api.get(api.STATUS, {"acknowledgement_id": typed}))
        assert shown["acknowledgement_id"] == booking.acknowledgement_id


@pytest.mark.parametrize(
    "typed", ["MS-000000", "MS-00000", "MS-0000000", "000000", "MS-00000U", "MS-०००००१", "'--", "你"]
)
def test_an_unknown_id_is_404(typed: str) -> None:
    api.error(api.get(api.STATUS, {"acknowledgement_id": typed}), 404, "booking_unknown")


def test_a_missing_id_is_400() -> None:
    for query in ({}, {"acknowledgement_id": ""}, {"acknowledgement_id": "M" * 41}, {"acknowledgement_id": "MS-\x00"}):
        api.error(api.get(api.STATUS, query), 400, "invalid")


@pytest.mark.parametrize("is_lapsed", [False, True])
def test_an_unproved_booking_answers_exactly_as_an_unknown_id(is_lapsed: bool, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    if is_lapsed:
        timers.lapse_draft(booking.pk, now=now + policy.DRAFT_LIFETIME)
    answers = [
        api.shown(answer)
        for acknowledgement_id in (booking.acknowledgement_id, "MS-000000")
        for answer in (
            api.get(api.STATUS, {"acknowledgement_id": acknowledgement_id}),
            api.post(api.INITIATE, {"acknowledgement_id": acknowledgement_id}),
        )
    ]
    assert answers[:2] == answers[2:]
    assert answers[0].startswith("404")


# -- check-status by address ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, *State])
def test_asking_for_the_link_answers_every_address_alike_and_always_mails(state: State | None, now: datetime) -> None:
    if state is not None:
        factories.make_booking(state, now=now)
    known = api.post(api.STATUS, {"email": ASHA})
    unknown = api.post(api.STATUS, {"email": RAVI})
    assert api.shown(known) == api.shown(unknown)
    assert set(api.done(known)) == {"message"}
    sent = {None: Notice.NOTHING_OPEN, State.DRAFT: Notice.DRAFT_SUBMITTED}.get(state, Notice.LINK_REQUESTED)
    assert list(Message.objects.order_by("pk").values_list("recipient", "kind")) == [
        (ASHA, sent),
        (RAVI, Notice.NOTHING_OPEN),
    ]


@pytest.mark.parametrize(
    "body", [{}, {"email": ""}, {"email": None}, {"email": "asha"}, {"email": 7}, {"email": [ASHA]}]
)
def test_a_malformed_address_says_that_there_is_no_booking(body: dict[str, Any]) -> None:
    answer = api.error(api.post(api.STATUS, body), 400, "invalid")
    assert answer["has_booking"] is False
    assert answer["errors"] == {"email": [answer["detail"]]}
    assert not Message.objects.exists()


# -- initiate-payment -------------------------------------------------------------------------------------------------


def test_to_begin_to_pay_twice_gives_the_same_reference(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    typed = booking.acknowledgement_id.lower().replace("0", "o").replace("1", "l")
    first, second = (api.done(api.post(api.INITIATE, {"acknowledgement_id": typed})) for _ in range(2))
    assert first == second
    assert set(first) == {"message", "payment_reference", "amount"}
    assert (first["payment_reference"], first["amount"]) == (Payment.objects.get().reference, "1500.00")
    assert scenarios.again(booking).state == State.PAYMENT_PENDING


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PENDING, "state_refuses"),
        (State.CONFIRMED, "nothing_to_pay"),
        (State.COMPLETED, "nothing_to_pay"),
        (State.REJECTED, "state_refuses"),
        (State.CANCELLED, "state_refuses"),
        (State.PAYMENT_FAILED, "state_refuses"),
    ],
)
def test_paying_is_refused_in_every_other_state(state: State, code: str, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    api.error(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}), 409, code)
    assert not Payment.objects.exists()


def test_a_paid_booking_says_that_nothing_is_left_to_pay(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    body = api.error(api.post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id}), 409, "already_paid")
    assert "already paid" in body["detail"]
    assert "Nothing is left to pay" in body["detail"]


def test_paying_too_late_or_without_a_gateway_is_refused(
    now: datetime, clock: time_machine.Traveller, settings: Any
) -> None:
    booking = scenarios.approved(now=now)
    body = {"acknowledgement_id": booking.acknowledgement_id}
    settings.PAYMENT_GATEWAY = ""
    api.error(api.post(api.INITIATE, body), 503, "payments_unavailable")
    settings.PAYMENT_GATEWAY = "sandbox"
    assert booking.due_at is not None
    clock.move_to(booking.due_at)
    api.error(api.post(api.INITIATE, body), 409, "pay_by_passed")


@pytest.mark.parametrize("value", [None, "", 7, {}, ["MS-000000"]])
def test_paying_for_no_id_is_400(value: object) -> None:
    api.error(api.post(api.INITIATE, {"acknowledgement_id": value}), 400, "invalid")
    api.error(api.post(api.INITIATE, {}), 400, "invalid")


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_the_support_lines_are_served() -> None:
    body = api.done(api.get(api.SUPPORT))
    assert "not an emergency service" in body["message"]
    assert {"name": "Tele-MANAS", "number": "14416"} in body["support"]


@pytest.mark.parametrize("path", api.PINGS)
def test_wake_up_pings_are_answered(path: str) -> None:
    assert api.done(api.get(path)) == {"status": "ok"}


def test_admin_leads_to_a_log_in_page() -> None:
    response = api.get("/admin")
    while response.status_code in (301, 302):
        response = api.get(response["Location"])
    assert response.status_code == 200
    assert b'name="password"' in response.content


def test_head_changes_nothing_and_answers_as_get_does(now: datetime) -> None:
    draft = scenarios.submitted(now=now)
    booking = scenarios.approved(RAVI, now=now)
    before = story_so_far()
    head = api.request("HEAD", api.STATUS, query={"acknowledgement_id": booking.acknowledgement_id})
    assert (head.status_code, head.content) == (200, b"")
    assert api.request("HEAD", api.VERIFY, query={"token": scenarios.token_of(draft)}).status_code == 409
    for path in (*api.PINGS, api.SUPPORT):
        assert api.request("HEAD", path).status_code == 200
    for path in (api.DRAFT, api.INITIATE, api.COMPLETE):
        assert api.request("HEAD", path).status_code == 405
    assert story_so_far() == before


def story_so_far() -> tuple[Any, ...]:
    """Everything a request could have changed."""
    models = (Booking, LedgerEntry, Message, Payment)
    return tuple(json.dumps(list(model.objects.order_by("pk").values()), default=str) for model in models)


def test_a_session_due_at_the_practice_says_so(now: datetime) -> None:
    booking = factories.make_booking(State.CONFIRMED, now=now, mode="OFFLINE", payment_mode="OFFLINE")
    shown = api.done(api.get(api.STATUS, {"acknowledgement_id": booking.acknowledgement_id}))
    assert shown["payment_status"] == "due_at_practice"
    assert "pay at the practice" in shown["next_step"]


def test_two_tabs_read_the_same(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    query = {"acknowledgement_id": booking.acknowledgement_id}
    assert api.get(api.STATUS, query).content == api.get(api.STATUS, query).content
