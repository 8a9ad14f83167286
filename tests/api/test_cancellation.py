"""Cancelling through the API, and the site's contact forms: what the contract promises, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.api.models import LookupMiss
from backend.api.throttle import MAILS
from backend.bookings import policy
from backend.bookings.lifecycle import cancellation
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import FINAL, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.outbox.models import Message
from backend.people.models import Enquiry
from tests.support import api, factories, scenarios
from tests.support.asked import asks
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

DAY = timedelta(days=1)


def ask(booking: Booking) -> Any:
    return api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": booking.acknowledgement_id})


def token_of(booking: Booking) -> str:
    return scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)


def far_confirmed(now: datetime) -> Booking:
    return scenarios.confirmed(now=now, at=now + 5 * DAY)


# -- asking -----------------------------------------------------------------------------------------------------------


def test_of_a_confirmed_session_the_answer_is_202_and_says_that_an_email_was_sent(now: datetime) -> None:
    booking = far_confirmed(now)
    body = api.done(ask(booking), 202)
    assert set(body) == {"message"}
    assert "email" in body["message"]
    assert scenarios.notices_about(booking).count(Notice.CANCELLATION_REQUESTED) == 1
    assert scenarios.again(booking).state == State.CONFIRMED


@pytest.mark.parametrize("make", [scenarios.pending, scenarios.approved, lambda **kw: scenarios.paying(**kw)[0]])
def test_before_confirmation_the_mail_goes_and_the_answer_is_no_success(make: Any, now: datetime) -> None:
    booking = make(now=now)
    body = api.error(ask(booking), 409, "confirm_by_email")
    assert body["detail"] == (
        "Nothing has failed. One step is left: we have sent you an email; open its link within an hour. "
        "Until then your booking is not cancelled."
    )
    assert scenarios.notices_about(booking).count(Notice.CANCELLATION_REQUESTED) == 1
    assert (scenarios.again(booking).state, scenarios.again(booking).cancellation_requested_at) == (booking.state, now)


@pytest.mark.parametrize(("before", "status"), [(DAY, 202), (DAY - timedelta(seconds=1), 409)])
def test_inside_the_last_day_the_answer_names_24_hours(
    before: timedelta, status: int, now: datetime, clock: time_machine.Traveller
) -> None:
    booking = far_confirmed(now)
    clock.move_to(booking.slot_start - before)
    if status == 202:
        api.done(ask(booking), 202)
        return
    unchanged = everything()
    assert "24 hours" in api.error(ask(booking), 409, "cancel_too_late")["detail"]
    assert everything() == unchanged


def test_after_a_move_by_staff_it_may_be_asked_until_the_start(now: datetime, clock: time_machine.Traveller) -> None:
    booking = far_confirmed(now)
    start = booking.slot_start + timedelta(hours=3)
    reschedule(booking.pk, Move(start), actor="staff:desk", now=now)
    clock.move_to(start - timedelta(seconds=1))
    api.done(ask(booking), 202)
    clock.move_to(start)
    api.error(ask(booking), 409, "cancel_too_late")


@pytest.mark.parametrize("state", FINAL)
def test_of_a_closed_booking_the_answer_is_409_with_the_reason(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    unchanged = everything()
    detail = api.error(ask(booking), 409, "state_refuses")["detail"]
    said = {
        State.COMPLETED: "already taken place",
        State.REJECTED: "could not offer",
        State.CANCELLED: "already cancelled",
        State.PAYMENT_FAILED: "payment did not arrive",
    }
    assert said[state] in detail
    assert everything() == unchanged


def test_an_unknown_or_unproved_id_is_404_and_counts_as_a_miss(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "LOOKUP_MISSES_PER_HOUR", 3)
    draft = scenarios.submitted(now=now)
    booking = scenarios.pending(RAVI, now=now)
    for typed in (draft.acknowledgement_id, "MS-000000", "nonsense"):
        api.error(api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": typed}), 404, "booking_unknown")
    refused = ask(booking)
    api.error(refused, 429, "too_many_misses")
    assert int(refused["Retry-After"]) > 0
    assert scenarios.again(booking).cancellation_requested_at is None


def test_asking_for_a_known_id_counts_no_miss_and_reads_the_id_as_people_type_it(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now, acknowledgement_id="MS-10K011")
    api.error(api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": " ms-iokoll "}), 409, "confirm_by_email")
    assert scenarios.again(booking).cancellation_requested_at == now
    assert not LookupMiss.objects.exclude(client__startswith=MAILS).exists()


@pytest.mark.parametrize("value", [None, "", 7, {}, ["MS-000000"], "x" * 41, "MS-\x00", "\ud800"])
def test_asking_without_an_id_is_400(value: object) -> None:
    body = api.error(api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": value}), 400, "invalid")
    assert body["errors"] == {"acknowledgement_id": [body["detail"]]}
    api.error(api.get(api.ASK_TO_CANCEL), 405, "method_not_allowed")


def test_over_the_limit_of_links_the_asker_sees_no_difference(now: datetime) -> None:
    booking = far_confirmed(now)
    assert len({ask(booking).content for _ in range(5)}) == 1
    assert Message.objects.filter(kind=Notice.CANCELLATION_REQUESTED).count() == policy.CANCEL_LINKS_PER_HOUR


# -- proving and reporting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [scenarios.pending, scenarios.approved, lambda **kw: scenarios.paying(**kw)[0], scenarios.confirmed]
)
def test_the_link_cancels_by_post_and_is_reported_again_and_again(make: Any, now: datetime) -> None:
    booking = make(now=now, **({"at": now + 3 * DAY} if make is scenarios.confirmed else {}))
    ask(booking)
    token = {"token": token_of(booking)}
    first, second = (api.done(api.post(api.VERIFY_CANCEL, token)) for _ in range(2))
    assert first == second == api.done(api.get(api.VERIFY_CANCEL, token))
    assert set(first) == {"message", "status"}
    assert first["status"] == State.CANCELLED
    assert scenarios.again(booking).state == State.CANCELLED
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CANCELLED) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_reports_and_never_cancels_whoever_asks(method: str, now: datetime) -> None:
    booking = far_confirmed(now)
    ask(booking)
    token, unchanged = {"token": token_of(booking)}, everything()
    for headers in ({}, {"origin": ""}, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"}):
        response = api.request(method, api.VERIFY_CANCEL, query=token, **headers)
        assert response.status_code == 409
        if method == "GET":
            body = api.error(response, 409, "not_cancelled_yet", to_site=headers.get("origin") != "")
            assert body["detail"].startswith("Nothing has failed. One step is left: ")
    assert everything() == unchanged


def test_an_expired_link_is_410_and_the_booking_stands(now: datetime, clock: time_machine.Traveller) -> None:
    booking = scenarios.pending(now=now)
    ask(booking)
    clock.move_to(now + timedelta(hours=1))
    unchanged = everything()
    for send in (api.get, api.post):
        api.error(send(api.VERIFY_CANCEL, {"token": token_of(booking)}), 410, "link_expired")
    assert everything() == unchanged


def test_a_booking_that_closed_in_another_way_is_409_with_the_reason(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    ask(booking)
    token = {"token": token_of(booking)}
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", actor="staff:desk", now=now
    )
    for send in (api.get, api.post):
        assert "already cancelled" in api.error(send(api.VERIFY_CANCEL, token), 409, "state_refuses")["detail"]


def test_of_two_links_only_the_one_that_was_used_reports_success(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    ask(booking)
    first = token_of(booking)
    ask(booking)
    api.done(api.post(api.VERIFY_CANCEL, {"token": token_of(booking)}))
    api.error(api.get(api.VERIFY_CANCEL, {"token": first}), 409, "state_refuses")


@pytest.mark.parametrize("send", [api.get, api.post])
def test_links_that_are_unknown_of_another_purpose_or_no_links_are_refused(send: Any, now: datetime) -> None:
    booking = far_confirmed(now)
    unchanged = everything()
    for token in ("nobody", scenarios.token_of(booking), scenarios.token_of(booking, Notice.BOOKING_CONFIRMED)):
        api.error(send(api.VERIFY_CANCEL, {"token": token}), 404, "link_unknown")
    for body in ({}, {"token": ""}, {"token": "x" * 201}, {"token": "a\x00b"}):
        assert "token" in api.error(send(api.VERIFY_CANCEL, body), 400, "invalid")["errors"]
    assert everything() == unchanged


def test_the_link_of_the_confirmation_cancels_late(now: datetime, clock: time_machine.Traveller) -> None:
    booking = far_confirmed(now)
    token = {"token": scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)}
    clock.move_to(booking.slot_start - timedelta(seconds=1))
    assert api.done(api.post(api.VERIFY_CANCEL, token))["status"] == State.CANCELLED
    assert scenarios.again(booking).reason == "cancelled_late"


def test_queries_are_few(now: datetime, django_assert_num_queries: Any) -> None:
    booking = far_confirmed(now)
    with django_assert_num_queries(1):
        api.error(api.get(api.VERIFY_CANCEL, {"token": "nobody"}), 404, "link_unknown")
    with asks(14, trips=12):  # one is the lock of the inbox's limit
        ask(booking)
    token = {"token": token_of(booking)}
    with django_assert_num_queries(1):
        api.error(api.get(api.VERIFY_CANCEL, token), 409, "not_cancelled_yet")


# -- the contact forms ------------------------------------------------------------------------------------------------


def test_an_enquiry_is_kept_and_mailed_and_neither_recipient_nor_html_is_believed(settings: Any) -> None:
    body = {"to": "victim@example.org", "subject": "Hello", "text": "private words", "html": "<b>other</b>"}
    assert set(api.done(api.post(api.SEND_EMAIL, body), 202)) == {"message"}
    enquiry = Enquiry.objects.get()
    assert (enquiry.subject, enquiry.text) == ("Hello", "private words")
    message = Message.objects.get()
    assert (message.kind, message.recipient) == (Notice.STAFF_ENQUIRY_RECEIVED, settings.STAFF_INBOX)
    assert "victim" not in everything()


def test_the_sites_server_sends_no_origin_and_odd_recipients() -> None:
    for to in (None, ["a@example.org"], 7, {"a": 1}, "x" * 5000):
        api.done(api.post(api.SEND_EMAIL, {"to": to, "text": "words"}, origin=""), 202, to_site=False)


@pytest.mark.parametrize("subject", [{}, {"subject": ""}, {"subject": None}, {"subject": "  "}])
def test_a_subject_may_be_missing(subject: dict[str, Any]) -> None:
    api.done(api.post(api.SEND_EMAIL, {"text": "words", **subject}), 202)
    assert Enquiry.objects.get().subject == "No subject"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": 7}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "a\x00"}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "words", "subject": "x" * 201}, "subject"),
        ({"text": "words", "subject": "Bcc:\r\nall"}, "subject"),
        ({"text": "words", "subject": ["a"]}, "subject"),
    ],
)
def test_an_enquiry_that_cannot_be_kept_is_400(body: dict[str, Any], field: str) -> None:
    assert set(api.error(api.post(api.SEND_EMAIL, body), 400, "invalid")["errors"]) == {field}
    assert not Enquiry.objects.exists()


def test_the_longest_enquiry_in_hindi_arrives_whole_beside_its_html() -> None:
    text = "क" * 10_000
    body = json.dumps({"subject": "क" * 200, "text": text, "html": f"<p>{text}</p>"}, ensure_ascii=False).encode()
    api.done(api.post(api.SEND_EMAIL, body), 202)
    assert Enquiry.objects.get().text == text


def test_enquiries_are_limited_as_a_whole_and_go_on_an_hour_later(
    now: datetime, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "ENQUIRIES_ALL", 2)
    for _ in range(2):
        api.done(api.post(api.SEND_EMAIL, {"text": "words"}), 202)
    refused = api.post(api.SEND_EMAIL, {"text": "words"})
    api.error(refused, 429, "too_many_enquiries")
    assert refused["Retry-After"] == "3600"
    clock.move_to(now + timedelta(hours=1))
    api.done(api.post(api.SEND_EMAIL, {"text": "words"}), 202)


# -- spans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(hours=1), "an hour"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=40), "40 seconds"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_spans_are_written_as_people_say_them(length: timedelta, words: str) -> None:
    assert formatting.span(length) == words
