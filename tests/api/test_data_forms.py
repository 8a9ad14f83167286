"""What a person does by themselves on *Your data*: correct it, and withdraw the consent."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.http import HttpResponse

from backend.api.links.data_forms import LABELS
from backend.bookings.lifecycle import choices, corrections, follow_ups, timers
from backend.bookings.models import Booking, DataRequest, RequestKind, RequestState
from backend.bookings.notices import Notice
from backend.core.personal_data import personal_columns
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.people import intake
from backend.people.models import Client
from tests.support import api, erasures, scenarios
from tests.support.link_pages import browser, look, press, shown
from tests.support.scenarios import ASHA, RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
CORRECT, WITHDRAW = "/go/data/correct/", "/go/data/withdraw/"
ANSWERS = {
    "full_name": " Asha Rao-Menon ", "phone_number": "98765 00001", "city": "Nagpur", "region": "", "country": "India",
    "gender": "PREFER_NOT_TO_SAY", "emergency_contact": "Leela Rao 9876500002",
}  # fmt: skip
KEPT = ANSWERS | {"full_name": "Asha Rao-Menon", "phone_number": "+919876500001", "region": intake.NOT_GIVEN}


def corrected(token: str, **changes: str) -> HttpResponse:
    return browser().post(CORRECT, {"token": token, **ANSWERS, **changes})


def said_of(row: Client | Booking) -> dict[str, str]:
    return {name: getattr(row, name) for name in corrections.CORRECTABLE}


# -- to correct --------------------------------------------------------------------------------------------------------


def test_a_correction_is_kept_of_the_person_and_of_all_their_bookings(now: datetime) -> None:
    booking, other = scenarios.pending(now=now), scenarios.pending(RAVI, now=now)
    token, before = erasures.data_token(booking, now=now), said_of(other)
    page = look(CORRECT, token)
    assert 'value="Asha Rao"' in page.content.decode()
    assert 'value="9876543210"' in page.content.decode()
    assert "corrected" in shown(corrected(token))
    after = scenarios.again(booking)
    assert after.client is not None
    assert said_of(after) == said_of(after.client) == KEPT
    assert (after.email, after.age, after.user_message) == (ASHA, booking.age, booking.user_message)
    assert "Asha Rao" in {row.full_name for row in after.client.history.all()}
    assert said_of(scenarios.again(other)) == before
    request = DataRequest.objects.get()
    assert (request.kind, request.state, request.closed_at) == (RequestKind.CORRECTION, RequestState.DONE, now)


def test_the_page_as_it_is_sent_back_changes_nothing(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    shown(press(look(CORRECT, erasures.data_token(booking, now=now)), **_typed(booking)))
    assert said_of(scenarios.again(booking)) == said_of(booking)


def _typed(booking: Booking) -> dict[str, str]:
    return said_of(booking) | {"phone_number": "9876543210"}


def test_what_the_sites_form_refuses_is_refused_here_in_the_same_words(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    wrong = {
        "full_name": "J", "phone_number": "98765", "city": "", "country": "é" * 81, "gender": "Zephyrine",
        "emergency_contact": "a\x07b", "region": "é" * 81,
    }  # fmt: skip
    named = {"region": "state"}
    answer = api.post(api.DRAFT, api.form(now) | {named.get(name, name): text for name, text in wrong.items()})
    page = shown(corrected(token, **wrong), 400)
    for name in wrong:
        assert answer.json()["errors"][named.get(name, name)][0] in page, name
    assert said_of(scenarios.again(booking)) == said_of(booking)


def test_every_column_about_a_person_can_be_corrected_or_is_said_not_to_be() -> None:
    """The address is the proof."""
    assert {*corrections.CORRECTABLE, "email"} == set(personal_columns(Client))


# -- to withdraw -------------------------------------------------------------------------------------------------------


def true_reminders(booking: Booking) -> list[str]:
    """All that is owed about it and only reminds, as far as it would leave."""
    kinds = [notice for notice in Notice if "reminder" in notice.label]
    owed = Message.objects.filter(booking_id=booking.pk, kind__in=kinds).order_by("pk")
    return [row.kind for row in owed if delivery.prepare(row, now=row.not_before)]


def test_an_open_booking_is_asked_about_first_and_then_no_reminder_leaves(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=9))
    token = erasures.data_token(booking, now=now)
    assert booking.acknowledgement_id in shown(look(WITHDRAW, token))
    assert "Do you want to keep it?" in shown(browser().post(WITHDRAW, {"token": token}), 409)
    assert true_reminders(booking) == [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT]
    assert "is withdrawn" in shown(browser().post(WITHDRAW, {"token": token, "step": "keep"}))
    assert true_reminders(booking) == []
    confirmation = Message.objects.filter(booking_id=booking.pk, kind=Notice.BOOKING_CONFIRMED).get()
    assert delivery.prepare(confirmation, now=now) is not None  # what happens is told as ever
    assert (scenarios.again(booking).state, DataRequest.objects.get().kind) == ("CONFIRMED", RequestKind.WITHDRAWAL)


def to_choose(*, now: datetime) -> Booking:
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=9))
    return choices.offer_choice(booking.pk, actor="staff:desk", now=now)


@pytest.mark.parametrize("make", [scenarios.submitted, scenarios.approved, to_choose])
def test_no_reminder_of_any_kind_outlives_the_consent(make, now: datetime) -> None:
    booking = make(now=now)
    assert len(true_reminders(booking)) == 1
    Booking.objects.update(consent_withdrawn_at=now)
    assert true_reminders(booking) == []


def test_who_wants_to_cancel_first_is_mailed_the_link(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    assert "to cancel" in shown(browser().post(WITHDRAW, {"token": token, "step": "cancel"}))
    assert scenarios.notices_about(booking)[-2:].count(Notice.CANCELLATION_REQUESTED) == 1
    assert scenarios.again(booking).consent_withdrawn_at is None


def test_without_an_open_booking_one_press_withdraws_and_a_new_request_consents_anew(now: datetime) -> None:
    booking = scenarios.rejected(now=now)
    assert "is withdrawn" in shown(press(look(WITHDRAW, erasures.data_token(booking, now=now))))
    assert scenarios.again(booking).consent_withdrawn_at == now
    assert scenarios.pending(now=now, user_message="Again.").consent_withdrawn_at is None


def test_the_next_session_of_who_withdrew_is_booked_without_a_reminder(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    Booking.objects.update(consent_withdrawn_at=now)
    timers.complete_session(booking.pk, now=booking.due_at)
    series = follow_ups.Series((now + timedelta(days=30),))
    (made,) = follow_ups.book_series(booking.pk, series, actor="staff:desk", now=booking.due_at)
    assert made.booking is not None
    assert made.booking.consent_withdrawn_at == now
    assert true_reminders(made.booking) == []


# -- told --------------------------------------------------------------------------------------------------------------


def told(notice: Notice, now: datetime) -> list[str]:
    """The mails of this kind as they would leave."""
    bodies = []
    for message in Message.objects.filter(kind=notice).order_by("pk"):
        message.context, message.frozen_at = delivery.prepare(message, now=now), now
        mail = delivery.compose(message, {})
        assert mail.to == [ASHA]
        bodies.append(f"{mail.body}{mail.alternatives[0].content}")
    return bodies


def test_a_mail_tells_what_was_corrected_and_not_what_it_says_now(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    for _ in range(2):  # the second one changes nothing
        corrected(token, region=booking.region, full_name=booking.full_name, gender=booking.gender)
    (mail,) = told(Notice.DATA_CORRECTED, now)
    assert [name for name in LABELS.values() if name.lower() in mail] == ["Phone number", "City", "Emergency contact"]
    values = {text.strip() for text in (*ANSWERS.values(), *KEPT.values())} - {"", "India", intake.NOT_GIVEN}
    assert not [text for text in values if text in mail]


def test_a_mail_tells_that_the_consent_was_withdrawn(now: datetime) -> None:
    token = erasures.data_token(scenarios.rejected(now=now), now=now)
    for _ in range(2):
        browser().post(WITHDRAW, {"token": token})
    (mail,) = told(Notice.CONSENT_WITHDRAWN, now)
    assert "no reminders" in mail
