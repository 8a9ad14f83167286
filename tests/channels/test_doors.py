"""Where somebody says how to remind them: a draft, our form, *Your data*, the desk, the staff API."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client as Browser

from backend.bookings.lifecycle import visitor
from backend.bookings.models import Booking
from backend.channels.models import Consent
from backend.outbox.models import Delivery, Message
from tests.support import api, erasures, scenarios, staff_api, texts
from tests.support.fake_channels.base import FakeChannel
from tests.support.link_pages import browser, look, press, shown
from tests.support.staff_api import Desk
from tests.support.texts import PHONE
from tests.support.visit_pages import Visitor, read, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
INFO, DATA, REMINDERS, REQUEST = "/api/info/", "/go/data/", "/go/data/reminders/", "/visit/request/"
Fakes = dict[str, FakeChannel]


def ways(**given: str) -> list[tuple[str, str]]:
    """Of each consent that stands, its channel and number."""
    return list(Consent.objects.filter(withdrawn_at=None, **given).values_list("channel", "phone_number"))


# -- a request ---------------------------------------------------------------------------------------------------------


def test_a_draft_may_say_one_of_the_ways_that_info_names(now: datetime, fakes: Fakes) -> None:
    assert api.done(api.get(INFO))["reminders_by"] == ["email", "whatsapp", "sms", "custom"]
    api.done(api.post(api.DRAFT, api.form(now, reminders_by="whatsapp")), 201)
    booking = Booking.objects.get()
    assert (booking.reminders_by, ways()) == ("whatsapp", [])
    visitor.verify_email(scenarios.token_of(booking), now=now)
    assert ways() == [("whatsapp", PHONE)]


@pytest.mark.parametrize("said", [{}, {"reminders_by": None}, {"reminders_by": "email"}])
def test_without_channels_a_draft_says_nothing_or_mail(said: dict[str, str], now: datetime) -> None:
    assert api.done(api.get(INFO))["reminders_by"] == ["email"]
    api.done(api.post(api.DRAFT, api.form(now, **said)), 201)
    visitor.verify_email(scenarios.token_of(Booking.objects.get()), now=now)
    assert ways() == []


@pytest.mark.parametrize("said", ["sms", "pigeon", "", 1, ["email"]])
def test_a_way_that_is_not_offered_is_asked_for_again(said: object, now: datetime) -> None:
    body = api.error(api.post(api.DRAFT, api.form(now, reminders_by=said)), 400, "invalid")
    assert body["errors"] == {"reminders_by": ["Please choose one of the ways in which we remind."]}
    assert not Booking.objects.exists()


def test_our_form_asks_where_there_is_something_to_choose(now: datetime, fakes: Fakes, settings) -> None:
    settings.HAS_OTHER_SITE = False
    person = Visitor()
    form = {name: str(value) for name, value in api.form(now).items()} | {"consent_given": "yes"}
    page = person.open(REQUEST)
    read(page)
    assert 'name="reminders_by" value="sms"> By SMS' in text_of(page)
    assert 'name="reminders_by" value="email" checked' not in text_of(page)  # who chose before is not asked anew
    person.send(page, "Send the request", **form, reminders_by="sms")
    assert Booking.objects.get().reminders_by == "sms"
    settings.WHATSAPP_TOKEN = settings.MSG91_AUTH_KEY = settings.CUSTOM_CHANNEL_URL = ""
    assert "reminders_by" not in read(person.open(REQUEST))


# -- *Your data* -------------------------------------------------------------------------------------------------------


def test_a_person_sees_and_changes_how_they_are_reminded(now: datetime, fakes: Fakes) -> None:
    booking = scenarios.pending(now=now)
    token = erasures.data_token(booking, now=now)
    assert "Choose how I am reminded" in shown(look(DATA, token))
    page = look(REMINDERS, token)
    assert "Now By email Your telephone 9876543210" in shown(page)
    assert ways() == []  # to look changes nothing
    assert "is changed" in shown(press(page, reminders_by="sms"))
    assert ways() == [("sms", PHONE)]
    page = look(REMINDERS, token)
    assert "Now By SMS Your telephone 9876543210" in shown(page)
    shown(press(page, reminders_by="email"))
    assert ways() == []


def test_what_is_not_offered_is_refused_there_and_what_stands_can_be_ended_always(
    now: datetime, fakes: Fakes, settings
) -> None:
    booking = scenarios.pending(now=now, reminders_by="sms")
    token = erasures.data_token(booking, now=now)
    settings.WHATSAPP_TOKEN = settings.MSG91_AUTH_KEY = settings.CUSTOM_CHANNEL_URL = ""
    assert "Choose how I am reminded" in shown(look(DATA, token))
    refused = browser().post(REMINDERS, {"token": token, "reminders_by": "sms"})
    assert "cannot send reminders this way" in shown(refused, 409)
    shown(press(look(REMINDERS, token), reminders_by="email"))
    assert ways() == []
    assert "Choose how I am reminded" in shown(look(DATA, token))  # what stood is shown below
    assert shown(browser().post(REMINDERS, {"token": "nobody", "reminders_by": "email"}), 404)


def test_without_channels_nothing_is_offered(now: datetime) -> None:
    token = erasures.data_token(scenarios.pending(now=now), now=now)
    assert "Choose how I am reminded" not in shown(look(DATA, token))


# -- staff -------------------------------------------------------------------------------------------------------------


def test_a_program_of_staff_reads_and_records_it(now: datetime, fakes: Fakes, staff: Desk) -> None:
    booking = scenarios.pending(now=now)
    path = f"{staff_api.BOOKINGS}{booking.acknowledgement_id}/reminders/"
    found = api.done(staff.get(path))
    assert found == {
        "reminders_by": "email",
        "given_at": None,
        "given_by": "",
        "ways": ["email", "whatsapp", "sms", "custom"],
    }
    told = api.done(staff.post(path, {"reminders_by": "sms"}))
    assert (told["reminders_by"], told["given_by"]) == ("sms", "staff:desk")
    assert ways() == [("sms", PHONE)]
    api.error(staff.post(path, {"reminders_by": "pigeon"}), 400, "invalid")
    api.error(staff.post(path, {}), 400, "invalid")


def test_the_desk_records_it_and_the_timeline_tells(now: datetime, fakes: Fakes, desk: Browser) -> None:
    booking = texts.confirmed(now, "email")
    page = f"/admin/bookings/booking/{booking.pk}/"
    assert f"{page}reminders/" in desk.get(f"{page}change/").content.decode()
    assert "Ask them first" in desk.get(f"{page}reminders/").content.decode()
    told = desk.post(f"{page}reminders/", {"reminders_by": "sms"}, follow=True).content.decode()
    assert "is reminded by SMS." in told
    assert "reminders by SMS wanted" in told
    assert ways() == [("sms", PHONE)]
    assert "so before" in desk.post(f"{page}reminders/", {"reminders_by": "sms"}, follow=True).content.decode()
    assert (
        "cannot send reminders" in desk.post(f"{page}reminders/", {"reminders_by": "x"}, follow=True).content.decode()
    )
    text = texts.route(texts.mail_of(booking).not_before)
    Message.objects.filter(pk=text.pk).update(delivery=Delivery.DELIVERED)
    assert "reminder of the session by SMS" in desk.get(f"{page}change/").content.decode()


def test_the_desk_says_nothing_of_it_where_no_channel_is_configured(now: datetime, desk: Browser) -> None:
    booking = scenarios.pending(now=now)
    assert "/reminders/" not in desk.get(f"/admin/bookings/booking/{booking.pk}/change/").content.decode()
