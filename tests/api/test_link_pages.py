"""The mailed pages: what they show, that only the button acts, and that every answer is a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import OperationalError

from backend.bookings import policy
from backend.bookings.lifecycle import approval, cancellation, timers, visitor
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import Refund
from tests.support import api, scenarios
from tests.support.database_rows import everything
from tests.support.link_pages import browser, look, press, shown
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

CANCEL, AGAIN = "/go/cancel/", "/go/again/"
PAGES = [CANCEL, AGAIN, "/go/alternative/", "/go/reschedule/", "/go/data/", "/go/data/erase/", "/go/erasure/"]
PAGES += ["/go/pay/", "/go/data/correct/", "/go/data/withdraw/"]
DAY = timedelta(days=1)


def asked(booking: Booking, now: datetime) -> str:
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    return scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)


def late_token(booking: Booking) -> str:
    return scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.CANCEL_LATE)


def by_staff(booking: Booking, now: datetime) -> None:
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", actor="staff:desk", now=now
    )


def unanswered(now: datetime, email: str = ASHA) -> tuple[Booking, str]:
    """A request that we left unanswered, and the link in our apology."""
    booking = scenarios.pending(email, now=now)
    assert booking.due_at is not None
    timers.close_unanswered(booking.pk, now=booking.due_at)
    return booking, scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN)


# -- cancelling -------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_would_be_cancelled_and_changes_nothing(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    token = asked(booking, now)
    unchanged = everything()
    text = shown(look(CANCEL, token))
    assert booking.acknowledgement_id in text
    assert "Saturday, 28 November 2026, 10:00 IST" in text
    assert ASHA not in text
    assert "Asha" not in text
    for _ in range(3):
        look(CANCEL, token)
        assert browser().head(CANCEL, {"token": token}).status_code == 200
    assert everything() == unchanged


def test_the_button_cancels_and_leads_to_the_site_which_then_reports_it(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    token = asked(booking, now)
    response = press(look(CANCEL, token))
    assert response.status_code == 303
    assert response["Location"] == f"{configured.FRONTEND_URL}/verify-cancellation?token={token}"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert scenarios.again(booking).state == State.CANCELLED
    body = api.done(api.get(api.VERIFY_CANCEL, {"token": token}))
    assert body["status"] == State.CANCELLED


@pytest.mark.parametrize("make", [scenarios.pending, scenarios.approved, lambda **kw: scenarios.paying(**kw)[0]])
def test_before_confirmation_the_button_cancels_too_and_nothing_was_paid(make: Any, now: datetime) -> None:
    booking = make(now=now)
    page = look(CANCEL, asked(booking, now))
    text = shown(page)
    assert "Comes back to you Nothing Nothing was paid" in text
    assert "₹" not in text
    assert ("If a payment is on its way" in text) == (booking.state == State.PAYMENT_PENDING)
    assert ("No time was set yet" in text) == (booking.state == State.PENDING)
    assert press(page).status_code == 303
    assert scenarios.again(booking).state == State.CANCELLED


@pytest.mark.parametrize(
    ("setting", "says", "comes_back"),
    [
        ("full", "Comes back to you ₹1,500.00", 150_000),
        ("none", "Comes back to you Nothing of the ₹1,500.00 that you paid By the terms", 0),
    ],
)
def test_before_the_button_stands_what_comes_back(
    setting: str, says: str, comes_back: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", setting)
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    page = look(CANCEL, asked(booking, now))
    text = shown(page)
    assert says in text
    assert text.index("Comes back to you") < text.index("Cancel this booking")
    press(page)
    assert sum(Refund.objects.values_list("amount_paise", flat=True)) == comes_back


def test_the_link_of_the_confirmation_says_that_late_is_late(
    now: datetime, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    clock.move_to(now + 4 * DAY + timedelta(seconds=1))
    page = look(CANCEL, late_token(booking))
    assert "less than 24 hours, so the payment does not come back" in shown(page)
    assert press(page).status_code == 303
    assert scenarios.again(booking).reason == "cancelled_late"


def test_where_nothing_ever_comes_back_the_hour_is_not_given_as_the_reason(
    now: datetime, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "none")
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    clock.move_to(now + 5 * DAY - timedelta(hours=3))
    page = look(CANCEL, late_token(booking))
    assert "less than 24 hours" not in shown(page)
    assert "By the terms you accepted" in shown(page)
    press(page)
    message = Message.objects.get(booking_id=booking.pk, kind="booking_cancelled")
    context = delivery.prepare(message, now=now)
    assert context is not None
    assert (context["is_late"], context["stays"]) == (False, "1,500.00")


def test_a_page_that_stood_open_past_the_last_day_is_shown_again_instead_of_keeping_the_money(
    now: datetime, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    clock.move_to(now + 4 * DAY)
    page = look(CANCEL, late_token(booking))
    assert "Comes back to you ₹1,500.00" in shown(page)
    clock.move_to(now + 4 * DAY + timedelta(seconds=1))
    unchanged = everything()
    second = press(page)
    assert "what comes back to you has changed" in shown(second, 409)
    assert everything() == unchanged
    assert press(second).status_code == 303
    assert not Refund.objects.exists()


def test_after_a_move_by_staff_everything_comes_back(now: datetime, clock: time_machine.Traveller) -> None:
    booking = scenarios.confirmed(now=now, at=now + 5 * DAY)
    start = now + 5 * DAY + timedelta(hours=2)
    reschedule(booking.pk, Move(start), actor="staff:desk", now=now)
    clock.move_to(start - timedelta(minutes=30))
    page = look(CANCEL, asked(booking, start - timedelta(minutes=30)))
    assert "Comes back to you ₹1,500.00" in shown(page)
    assert "does not come back" not in shown(page)
    press(page)
    assert Refund.objects.get().amount_paise == 150_000


def test_pressing_twice_cancels_once_and_the_page_then_says_so(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = asked(booking, now)
    page = look(CANCEL, token)
    assert [press(page).status_code for _ in range(2)] == [303, 303]
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CANCELLED) == 1
    text = shown(look(CANCEL, token))
    assert "already cancelled" in text
    assert booking.acknowledgement_id in text


def test_a_link_that_cannot_cancel_says_why(now: datetime, clock: time_machine.Traveller) -> None:
    booking = scenarios.pending(now=now)
    token = asked(booking, now)
    page = look(CANCEL, token)
    clock.move_to(now + timedelta(hours=1))
    for response in (look(CANCEL, token), press(page)):
        text = shown(response, 410)
        assert "expired" in text
        assert "Nothing was changed" in text
    assert scenarios.again(booking).state == State.PENDING
    by_staff(booking, now)
    for response in (look(CANCEL, token), press(page)):
        assert "already cancelled" in shown(response, 409)


@pytest.mark.parametrize("path", PAGES)
def test_unknown_links_and_those_of_another_purpose_are_404_pages_that_do_not_repeat_them(
    path: str, now: datetime
) -> None:
    booking = scenarios.pending(now=now)
    unchanged = everything()
    reading = scenarios.token_of(booking, Notice.BOOKING_RECEIVED)
    for token in (None, "", "nobody", "<b>", "\x00", "x" * 5000, reading):
        for response in (look(path, token), browser().post(path, {"token": token or ""})):
            assert "not valid" in shown(response, 404)
            assert not token or token not in response.content.decode()
    assert everything() == unchanged


def test_a_token_in_the_address_of_a_post_does_not_act(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = asked(booking, now)
    shown(browser().post(f"{CANCEL}?token={token}"), 404)
    shown(browser().post(CANCEL, {"token": token}, content_type="application/json"), 404)
    assert scenarios.again(booking).state == State.PENDING


# -- asking again -----------------------------------------------------------------------------------------------------


def test_who_was_left_unanswered_asks_again_by_one_button_and_reads_the_new_id(now: datetime) -> None:
    booking, token = unanswered(now)
    unchanged = everything()
    page = look(AGAIN, token)
    text = shown(page)
    assert "did not answer" in text
    assert booking.acknowledgement_id in text
    assert browser().head(AGAIN, {"token": token}).status_code == 200
    assert everything() == unchanged
    first, second = shown(press(page)), shown(press(page))
    made = Booking.objects.get(state=State.PENDING)
    assert made.is_priority
    assert made.acknowledgement_id in first
    assert first == second == shown(look(AGAIN, token))
    assert Booking.objects.count() == 2


def test_the_page_of_a_used_link_says_that_the_request_has_gone_on(now: datetime) -> None:
    _, token = unanswered(now)
    press(look(AGAIN, token))
    made = Booking.objects.get(state=State.PENDING)
    approval.reject(made.pk, note_to_visitor="", actor="staff:desk", now=now)
    text = shown(look(AGAIN, token))
    assert made.acknowledgement_id in text
    assert "It has gone on since" in text


def test_asking_again_is_refused_late_and_beside_another_booking(now: datetime, clock: time_machine.Traveller) -> None:
    booking, token = unanswered(now)
    page = look(AGAIN, token)
    visitor.submit_draft(scenarios.draft_of(now=now), now=now)
    draft = Booking.objects.get(state=State.DRAFT)
    visitor.verify_email(scenarios.token_of(draft), now=now)
    assert "already an open booking" in shown(press(page), 409)
    assert booking.due_at is not None
    clock.move_to(booking.due_at + policy.AGAIN_LINK_LIFETIME)
    for response in (look(AGAIN, token), press(page)):
        assert "expired" in shown(response, 410)


# -- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/go/", "/go", "/go/cancel", "/go/nothing/", "/go/cancel/more/", "/go/%00/"])
def test_any_other_address_is_a_404_page(path: str) -> None:
    for method in ("get", "post"):
        shown(getattr(browser(), method)(path), 404)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_a_wrong_method_is_a_405_page(path: str, method: str) -> None:
    response = browser().generic(method, path)
    shown(response, 405)
    assert response["Allow"] == "GET, HEAD, POST"


def test_a_form_that_is_too_long_is_a_413_page() -> None:
    shown(browser().post(CANCEL, {"token": "x" * (configured.MAX_BODY_BYTES + 1), "more": "x"}), 413)


@pytest.mark.parametrize("path", PAGES)
def test_without_a_database_the_page_says_to_come_back_and_claims_nothing(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("backend.bookings.links.find", broken)
    for response in (look(path, "x"), browser().post(path, {"token": "x"})):
        text = shown(response, 503)
        assert "in a moment" in text
        assert "Nothing was changed" not in text


def test_the_pages_cost_few_queries(now: datetime, django_assert_max_num_queries: Any) -> None:
    token = asked(scenarios.confirmed(now=now, at=now + 5 * DAY), now)
    with django_assert_max_num_queries(5):
        look(CANCEL, token)
    _, again = unanswered(now, RAVI)
    with django_assert_max_num_queries(1):
        look(AGAIN, again)
