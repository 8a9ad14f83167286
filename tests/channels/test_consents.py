"""By which channel a person is reminded: chosen, told, corrected, withdrawn, stopped, forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.audit import own_data
from backend.bookings.lifecycle import corrections, erasure, erasure_requests, reminder_choice, visitor, withdrawal
from backend.bookings.models import Booking
from backend.channels import consents
from backend.channels.models import Consent, Purpose
from backend.core.errors import Code, Refused
from backend.people.models import Client
from backend.people.privacy_notice import IN_FORCE
from tests.support import erasures, scenarios
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes", "sandbox_payments")]
PHONE, OTHER = "+919876543210", "+919811111111"
HOUR = timedelta(hours=1)


def standing(booking: Booking) -> Consent | None:
    return consents.of([booking.client_id or 0], Purpose.REMINDERS).get(booking.client_id or 0)


def channel_of(booking: Booking) -> str:
    found = standing(booking)
    return found.channel if found is not None else consents.MAIL


def refusal(function, *args, **kwargs) -> Code:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as refused:
        function(*args, **kwargs)
    return refused.value.code


# -- by a request ------------------------------------------------------------------------------------------------------


def test_what_a_request_says_counts_once_its_address_is_proved(now: datetime) -> None:
    booking = scenarios.submitted(now=now, reminders_by="sms")
    assert not Consent.objects.exists()
    visitor.verify_email(scenarios.token_of(booking), now=now + HOUR)
    found = standing(scenarios.again(booking))
    assert found is not None
    assert (found.channel, found.phone_number, found.given_at, found.given_by) == ("sms", PHONE, now + HOUR, "visitor")
    assert (found.notice_version, found.withdrawn_at) == (booking.notice_version, None)


@pytest.mark.parametrize("said", ["", "email", "pigeon"])
def test_a_request_that_says_nothing_or_mail_or_what_is_not_offered_gives_no_consent(now: datetime, said: str) -> None:
    scenarios.pending(now=now, reminders_by=said)
    assert not Consent.objects.exists()


def test_the_next_request_changes_it_only_if_it_says_so(now: datetime) -> None:
    first = scenarios.rejected(now=now, reminders_by="sms")
    for hours, (said, stands) in enumerate((("", "sms"), ("whatsapp", "whatsapp"), ("email", "email")), 1):
        booking = scenarios.rejected(now=now + hours * HOUR, reminders_by=said)
        assert channel_of(booking) == stands
        assert booking.client_id == first.client_id
    ended = Consent.objects.order_by("pk").values_list("channel", "withdrawn_at", "withdrawn_by")
    assert list(ended) == [("sms", now + 2 * HOUR, "visitor"), ("whatsapp", now + 3 * HOUR, "visitor")]


# -- by the person, and by staff ---------------------------------------------------------------------------------------


def test_a_person_chooses_by_their_own_link_and_may_choose_again(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    assert reminder_choice.choose_reminders(token, "whatsapp", now=now)
    assert not reminder_choice.choose_reminders(token, "whatsapp", now=now + HOUR)
    assert Consent.objects.get().given_at == now
    assert reminder_choice.choose_reminders(token, "email", now=now + HOUR)
    assert not reminder_choice.choose_reminders(token, "email", now=now + HOUR)
    ended = Consent.objects.get()
    assert (ended.withdrawn_at, ended.withdrawn_by, ended.notice_version) == (now + HOUR, "visitor", IN_FORCE.version)


def test_staff_record_what_they_are_told_under_their_name(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert reminder_choice.record_reminders(booking.pk, "sms", actor="staff:desk", now=now)
    assert not reminder_choice.record_reminders(booking.pk, "sms", actor="staff:asha", now=now)
    assert Consent.objects.get().given_by == "staff:desk"
    assert reminder_choice.record_reminders(booking.pk, "email", actor="staff:asha", now=now)
    assert Consent.objects.get().withdrawn_by == "staff:asha"


def test_what_is_not_offered_or_has_no_number_is_refused_and_nothing_is_written(now: datetime, settings) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    settings.MSG91_AUTH_KEY = ""
    told = {"actor": "staff:desk", "now": now}
    assert refusal(reminder_choice.choose_reminders, token, "sms", now=now) == Code.CHANNEL_UNAVAILABLE
    assert refusal(reminder_choice.record_reminders, booking.pk, "pigeon", **told) == Code.CHANNEL_UNAVAILABLE
    assert refusal(reminder_choice.choose_reminders, "none", "whatsapp", now=now) == Code.LINK_UNKNOWN
    late = now + timedelta(days=2)
    assert refusal(reminder_choice.choose_reminders, token, "whatsapp", now=late) == Code.LINK_EXPIRED
    assert refusal(reminder_choice.record_reminders, 0, "whatsapp", **told) == Code.BOOKING_UNKNOWN
    Client.objects.update(phone_number="")
    Booking.objects.update(phone_number="")
    assert refusal(reminder_choice.choose_reminders, token, "whatsapp", now=now) == Code.PHONE_REQUIRED
    assert refusal(reminder_choice.record_reminders, booking.pk, "whatsapp", **told) == Code.PHONE_REQUIRED
    assert not Consent.objects.exists()


# -- ended -------------------------------------------------------------------------------------------------------------


def test_a_stop_ends_all_that_goes_to_its_number_and_nothing_else(now: datetime) -> None:
    asha = scenarios.pending(now=now, reminders_by="sms")
    same_number = scenarios.pending("meera@example.org", now=now, reminders_by="whatsapp")
    ravi = scenarios.pending(RAVI, now=now, reminders_by="sms", phone_number=OTHER)
    assert reminder_choice.stop_texts(PHONE, now=now + HOUR)
    assert not reminder_choice.stop_texts(PHONE, now=now + HOUR)
    assert not reminder_choice.stop_texts("+919800000000", now=now + HOUR)
    assert [channel_of(booking) for booking in (asha, same_number, ravi)] == ["email", "email", "sms"]
    stopped = Consent.objects.exclude(withdrawn_at=None)
    assert set(stopped.values_list("withdrawn_at", "withdrawn_by")) == {(now + HOUR, "stop")}


def test_who_withdraws_the_consent_to_all_withdraws_this_too(now: datetime) -> None:
    booking = scenarios.rejected(now=now, reminders_by="sms")
    ravi = scenarios.rejected(email=RAVI, now=now, reminders_by="sms")
    withdrawal.withdraw(erasures.data_token(booking, now=now), keeps_bookings=False, now=now)
    assert [channel_of(one) for one in (booking, ravi)] == ["email", "sms"]


def test_a_number_that_is_corrected_takes_the_consent_along(now: datetime) -> None:
    booking = scenarios.rejected(now=now, reminders_by="sms")
    token = erasures.data_token(booking, now=now)
    client = booking.client
    answers = {name: getattr(client, name) for name in corrections.CORRECTABLE} | {"phone_number": OTHER}
    corrections.correct(token, answers, now=now + HOUR)
    found = standing(booking)
    assert found is not None
    assert (found.phone_number, found.given_at) == (OTHER, now + HOUR)
    assert Consent.objects.get(phone_number=PHONE).withdrawn_at == now + HOUR
    corrections.correct(token, answers | {"city": "Nagpur"}, now=now + 2 * HOUR)
    assert Consent.objects.count() == 2


def test_an_erasure_leaves_none_and_the_person_is_given_them_before(now: datetime) -> None:
    booking = scenarios.rejected(now=now, reminders_by="sms")
    ravi = scenarios.rejected(email=RAVI, now=now, reminders_by="sms", phone_number=OTHER)
    client = booking.client
    assert client is not None
    (given,) = own_data.of(client, now=now)["what may be written to your telephone"]
    assert (given["channel"], given["phone_number"]) == ("sms", PHONE)
    request = erasure_requests.record_erasure(client.pk, actor="staff:desk", now=now)
    erasure.carry_out(request.pk, now=request.due_at)
    assert list(Consent.objects.values_list("client", flat=True)) == [ravi.client_id]
