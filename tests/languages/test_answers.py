"""What visitors are answered: in the language of their choice, of their browser, or of the practice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backend.bookings.models import Booking
from tests.support import api, latin

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

INFO, HOME, LINK = "/api/info/", "/visit/", "/visit/link/"
HINDI = {"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.5"}
NAMES = ("MindSettler", "Booking", "English")  # of the practice, of its payments, of a language


def page(path: str, *, of: Client | None = None, **headers: str) -> Any:
    """The answer to a browser."""
    return (of or Client()).get(path, headers=headers)


def test_a_program_reads_its_language_and_a_cache_keeps_both_apart() -> None:
    english, hindi = Client().get(INFO), Client().get(INFO, headers=HINDI)
    assert (english["Content-Language"], hindi["Content-Language"]) == ("en", "hi")
    assert hindi.json()["privacy_notice"]["title"] == "आप हमें जो बताते हैं, उसे हम कैसे रखते हैं"
    assert english["ETag"] != hindi["ETag"]
    assert "Accept-Language" in hindi["Vary"]
    again = Client().get(INFO, headers={**HINDI, "If-None-Match": hindi["ETag"]})
    assert (again.status_code, "Accept-Language" in again["Vary"]) == (304, True)
    assert Client().get(INFO, headers={"If-None-Match": hindi["ETag"]}).status_code == 200


def test_a_refusal_and_a_field_that_is_wrong_are_told_in_hindi_and_codes_stay() -> None:
    unknown = api.get(api.STATUS, {"acknowledgement_id": "MS-7K2M9P"}, accept_language="hi")
    refused = api.error(unknown, 404, "booking_unknown")
    wrong = api.error(api.post(api.DRAFT, {"email": "x", "city": "a" * 90}, accept_language="hi"), 400, "invalid")
    said = [one for found in wrong["errors"].values() for one in found]
    assert "अधिक से अधिक 80 अक्षर।" in " ".join(said)
    assert latin.words(" ".join([refused["detail"], *said])) == []


def test_the_staffs_api_speaks_english() -> None:
    refused = Client().get("/api/staff/bookings/", headers=HINDI)
    assert refused.status_code == 401
    assert latin.words(refused.json()["detail"])


def test_a_page_follows_the_browser_then_the_switch_and_remembers_it_until_it_is_closed() -> None:
    browser = Client()
    assert '<html lang="hi"' in page(LINK, of=browser, **HINDI).content.decode()
    assert '<html lang="en"' in page(LINK, of=browser).content.decode()
    switched = page(f"{LINK}?language=hi", of=browser)
    assert '<html lang="hi"' in switched.content.decode()
    cookie = switched.cookies["language"]
    assert (cookie.value, cookie["max-age"], cookie["httponly"], cookie["samesite"]) == ("hi", "", True, "Lax")
    assert '<html lang="hi"' in page(LINK, of=browser).content.decode()
    assert "Cookie" in switched["Vary"]
    assert "language" not in page(f"{LINK}?language=xx").cookies


def test_the_switch_leads_to_the_same_page() -> None:
    html = page("/visit/times/?mode=OFFLINE").content.decode()
    assert '<a href="?mode=OFFLINE&amp;language=hi" lang="hi" hreflang="hi" rel="nofollow">' in html


@pytest.mark.parametrize("path", [HOME, LINK, "/visit/times/", "/visit/request/", "/visit/status/", "/visit/enquiry/"])
def test_no_english_is_left_on_a_page_in_hindi(path: str, settings: Settings) -> None:
    settings.PRACTICE_LANGUAGE = "hi"
    assert latin.words(latin.of_html(page(path).content.decode()), *NAMES) == []


def test_a_draft_keeps_language_and_clock_and_one_that_says_nothing_keeps_none() -> None:
    now = timezone.now()
    api.done(api.post(api.DRAFT, api.form(now, language="hi", timezone="America/New_York")), 201)
    api.done(api.post(api.DRAFT, api.form(now, email="other@example.org")), 201)
    kept = list(Booking.objects.order_by("pk").values_list("language", "time_zone", "notice_language"))
    assert kept == [("hi", "America/New_York", "hi"), ("", "", "en")]


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"timezone": "Mars/Olympus"}, {"timezone": "../../etc/passwd"}])
def test_a_language_or_a_clock_that_is_none_is_asked_again(wrong: dict[str, str]) -> None:
    body = api.error(api.post(api.DRAFT, api.form(timezone.now(), **wrong)), 400, "invalid")
    assert [*body["errors"]] == [*wrong]
