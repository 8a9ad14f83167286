"""What anybody may know of the practice, the privacy notice with its version among it."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import override_settings

from backend.bookings import policy
from backend.bookings.models import Booking
from backend.people.models import Language, Psychologist
from backend.people.privacy_notice import IN_FORCE
from tests.support import api, scenarios

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
INFO = "/api/info/"


@override_settings(PRACTICE_NAME="Quiet Room", SUPPORT_LINES=["Emergency=112"])
def test_it_says_who_we_are_and_our_rules_with_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MOVES_BY_VISITOR", 5)
    body = api.done(api.get(INFO))
    assert (body["practice_name"], body["time_zone"], body["currency"]) == ("Quiet Room", "Asia/Kolkata", "INR")
    assert body["support"] == [{"name": "Emergency", "number": "112"}]
    assert (body["session_minutes"], body["price_from"]) == (60, "1500.00")
    assert (body["policies"]["cancel_notice_hours"], body["policies"]["moves"]) == (24.0, 5)


def test_the_price_is_the_least_of_those_who_give_sessions() -> None:
    scenarios.psychologist()
    Psychologist.objects.update(fee_paise=90_000)
    assert api.done(api.get(INFO))["price_from"] == "900.00"
    Psychologist.objects.update(is_active=False)
    assert api.done(api.get(INFO))["price_from"] == "1500.00"


def test_it_names_the_languages_of_our_texts_and_of_our_sessions() -> None:
    hindi, marathi = (Language.objects.create(name=name) for name in ("Hindi", "Marathi"))
    scenarios.psychologist("Dr. Meera Iyer").languages.set([hindi])
    scenarios.psychologist("Dr. Other").languages.set([hindi])
    scenarios.psychologist("Dr. Gone", is_active=False).languages.set([marathi])
    body = api.done(api.get(INFO))
    assert (body["languages"], body["session_languages"]) == (["en", "hi"], ["Hindi"])


def test_the_notice_in_force_is_served_with_its_version_and_accepted_by_it(now: datetime) -> None:
    notice = api.done(api.get(INFO))["privacy_notice"]
    assert (notice["version"], notice["language"]) == (IN_FORCE.version, "en")
    assert [(item["heading"], item["text"]) for item in notice["items"]] == list(IN_FORCE.items)
    api.done(api.post(api.DRAFT, api.form(now, notice_version=notice["version"])), 201)
    assert Booking.objects.get().notice_version == notice["version"]


def test_caches_may_keep_it_and_who_has_it_is_told_when_nothing_changed() -> None:
    first = api.get(INFO)
    assert first["Cache-Control"] == "public, max-age=300"
    again = api.get(INFO, if_none_match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
