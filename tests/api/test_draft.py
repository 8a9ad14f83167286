"""The site's form, field by field: what is taken, what is refused, and in which words."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
import time_machine

from backend.bookings.models import Booking
from backend.outbox.models import Message
from backend.people.privacy_notice import IN_FORCE
from tests.support import api

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

REQUIRED = {
    *("email", "full_name", "phone_number", "city", "age", "gender", "emergency_contact", "consent_given"),
    *("preferred_date", "preferred_period", "mode", "payment_mode"),
}
TEXTS = {"email", "full_name", "phone_number", "city", "country", "emergency_contact"}
CHOICES = {"gender", "preferred_period", "mode", "payment_mode"}
UNPRINTABLE = ["a\x00b", "a\nb", "a\rb", "a\x1bb", "a\x85b", "a\u2028b", "a\ud800b", "a\udfffb", "a\x7fb"]


def taken(now: datetime, **changes: Any) -> Booking:
    """The draft made of this form."""
    api.done(api.post(api.DRAFT, api.form(now, **changes)), 201)
    return Booking.objects.get()


def refused(now: datetime, field: str, value: object, code: str = "invalid", **changes: Any) -> str:
    """The sentence about the one field that was wrong; nothing is kept of such a form."""
    body = api.error(api.post(api.DRAFT, api.form(now, **{field: value, **changes})), 400, code)
    assert list(body["errors"]) == [field]
    assert body["errors"][field][0] == body["detail"]
    assert "has_booking" not in body
    assert not Booking.objects.exists()
    assert not Message.objects.exists()
    return str(body["detail"])


@pytest.mark.sqlite_only
@pytest.mark.parametrize("field", sorted(REQUIRED))
def test_each_field_that_the_site_always_sends_is_required(field: str, now: datetime) -> None:
    form = api.form(now)
    del form[field]
    body = api.error(api.post(api.DRAFT, form), 400, "invalid")
    assert body["errors"] == {field: [body["detail"]]}
    assert refused(now, field, None) == body["detail"]


def test_every_missing_field_is_named_at_once() -> None:
    body = api.error(api.post(api.DRAFT, {}), 400, "invalid")
    assert set(body["errors"]) == REQUIRED
    assert body["detail"] == body["errors"]["email"][0]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ["", "   ", 7, True, ["a"], {"a": "b"}])
@pytest.mark.parametrize("field", sorted(TEXTS))
def test_a_text_is_a_text_and_not_blank(field: str, value: object, now: datetime) -> None:
    refused(now, field, value)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", UNPRINTABLE)
def test_a_line_holds_nothing_that_cannot_be_printed(value: str, now: datetime) -> None:
    refused(now, "full_name", value)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("field", sorted(TEXTS))
def test_no_field_of_a_line_takes_a_line_break(field: str, now: datetime) -> None:
    refused(now, field, "a\nb")


@pytest.mark.parametrize(
    ("field", "most"), [("full_name", 120), ("city", 80), ("state", 80), ("country", 80), ("emergency_contact", 120)]
)
def test_a_text_has_its_length(field: str, most: int, now: datetime) -> None:
    assert f"At most {most} characters" in refused(now, field, "é" * (most + 1))
    taken(now, **{field: "é" * most})


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["J", " J ", "J\n"])
def test_a_name_has_two_letters(name: str, now: datetime) -> None:
    refused(now, "full_name", name)


@pytest.mark.parametrize(
    "name", ["Jo", "आशा राव", "O'Neill-Łukasz", "李 明", "Asha 🙂", "<b>Asha</b>", "'; DROP TABLE x; --"]
)
def test_any_name_is_kept_as_it_is(name: str, now: datetime) -> None:
    assert taken(now, full_name=f"  {name}\t\n").full_name == name


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "address",
    [
        *("asha", "asha@", "@example.org", "asha@example", "a b@example.org", "asha@exa mple.org", "asha@@example.org"),
        *("Asha <asha@example.org>", "asha@example.org, ravi@example.org", "asha@example.org\nBcc: x@example.org"),
        *("asha@exämple", "asha@i❤.org", "аsha@example.org", "a" * 65 + "@" + "b" * 190 + ".org"),
    ],
)
def test_what_is_no_address_is_refused(address: str, now: datetime) -> None:
    assert refused(now, "email", address)


def test_an_address_is_kept_lower_cased_and_trimmed(now: datetime) -> None:
    assert taken(now, email=" Asha.Rao+x@Example.ORG ").email == "asha.rao+x@example.org"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "phone",
    [
        "987654321",
        "98765432100",
        "987654321O",
        "९८७६५४३२१०",
        "９８７６５４３２１０",
        9876543210,
    ],
)
def test_what_is_no_phone_number_is_refused(phone: object, now: datetime) -> None:
    assert "10 digits" in refused(now, "phone_number", phone)


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        *(("9876543210", "India", "+919876543210"), ("98765 43210", "India", "+919876543210")),
        ("2125550123", "USA", "+12125550123"),
    ],
)
def test_a_phone_number_is_kept_with_the_code_of_its_country(
    typed: str, country: str, kept: str, now: datetime
) -> None:
    assert taken(now, phone_number=typed, country=country).phone_number == kept


@pytest.mark.parametrize(("age", "kept"), [(13, 13), (120, 120), ("31", 31), (31.0, 31)])
def test_an_age_is_taken(age: object, kept: int, now: datetime) -> None:
    assert taken(now, age=age).age == kept


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "age",
    [121, -1, 31.5, "", " 31", "thirty", "३१", "31.0", "0x1f", True, [], {}, [31], 10**4000, 1e300, "9" * 5000],
)
def test_what_is_no_age_is_refused(age: object, now: datetime) -> None:
    assert "age" in refused(now, "age", age)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("age", [0, 12])
def test_a_child_is_refused_by_the_practice(age: int, now: datetime) -> None:
    assert "13" in refused(now, "age", age, code="age_refused")


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ["", "X", "\ud800", 0, True, ["MALE"], {}, " ONLINE", "morning"])
@pytest.mark.parametrize("field", sorted(CHOICES))
def test_a_choice_is_one_of_its_values(field: str, value: object, now: datetime) -> None:
    refused(now, field, value)


@pytest.mark.parametrize("gender", ["MALE", "FEMALE", "OTHER", "PREFER_NOT_TO_SAY"])
def test_each_gender_of_the_form_is_taken(gender: str, now: datetime) -> None:
    assert taken(now, gender=gender).gender == gender


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", [False, "true", "on", 1, "", [True], {}])
def test_consent_is_given_or_there_is_no_request(value: object, now: datetime) -> None:
    assert "consent" in refused(now, "consent_given", value)


@pytest.mark.parametrize("said", [{}, {"notice_version": None}, {"notice_version": IN_FORCE.version}])
def test_a_draft_keeps_which_notice_was_accepted_and_when(said: dict[str, Any], now: datetime) -> None:
    booking = taken(now, **said)
    kept = (booking.notice_version, booking.notice_language, booking.consent_given_at)
    assert kept == (IN_FORCE.version, "en", now)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("said", "kept"), [({}, True), ({"calendar_entry": False}, False)])
def test_a_draft_keeps_whether_mails_bring_calendar_entries(said: dict[str, Any], kept: bool, now: datetime) -> None:
    assert taken(now, **said).calendar_entry is kept


@pytest.mark.sqlite_only
def test_whether_mails_bring_calendar_entries_is_true_or_false(now: datetime) -> None:
    assert "calendar" in refused(now, "calendar_entry", "no")


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", ["2019-01-01", "", "latest", 1, [IN_FORCE.version]])
def test_a_notice_that_we_never_published_is_refused(value: object, now: datetime) -> None:
    assert "privacy notice" in refused(now, "notice_version", value)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "value",
    [
        *("", "26-11-2026", "2026-11-5", "20261126", "2026-W48-4", "2026-02-30", "2026-11-26T00:00:00Z", " 2026-11-26"),
        *("२०२६-११-२६", "2026/11/26", "tomorrow", 20261126, True, [], {}),
    ],
)
def test_a_date_is_written_as_the_site_writes_it(value: object, now: datetime) -> None:
    assert "YYYY-MM-DD" in refused(now, "preferred_date", value)


def test_today_is_the_first_day_to_choose(now: datetime) -> None:
    assert "today" in refused(now, "preferred_date", "2026-11-22", code="date_past")
    assert taken(now, preferred_date="2026-11-23").preferred_date == date(2026, 11, 23)


def test_today_is_the_day_of_the_practice(now: datetime) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-11-23T18:30:00+00:00"), tick=False):  # midnight in Kolkata
        refused(now, "preferred_date", "2026-11-23", code="date_past")
        taken(now, preferred_date="2026-11-24")


CUSTOM = {"preferred_period": "CUSTOM", "preferred_time_start": "16:30", "preferred_time_end": "18:00"}


@pytest.mark.parametrize(("end", "kept"), [("18:00", time(18)), ("16:31:59", time(16, 31)), ("23:59", time(23, 59))])
def test_hours_of_ones_own_are_kept(end: str, kept: time, now: datetime) -> None:
    booking = taken(now, **{**CUSTOM, "preferred_time_end": end})
    assert (booking.preferred_time_start, booking.preferred_time_end) == (time(16, 30), kept)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "value", ["24:00", "7:30", "16.30", "16:60", "16:30:60", "1630", "T16:30", "16:30+05:30", "१६:३०", 1630]
)
@pytest.mark.parametrize("field", ["preferred_time_start", "preferred_time_end"])
def test_an_hour_is_written_as_the_site_writes_it(field: str, value: object, now: datetime) -> None:
    changes = {name: given for name, given in CUSTOM.items() if name != field}
    assert "HH:MM" in refused(now, field, value, **changes)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("field", ["preferred_time_start", "preferred_time_end"])
def test_hours_of_ones_own_have_both_ends(field: str, value: object, now: datetime) -> None:
    changes = {name: given for name, given in CUSTOM.items() if name != field}
    refused(now, field, value, **changes)
    body = api.error(api.post(api.DRAFT, api.form(now, **changes)), 400, "invalid")
    assert set(body["errors"]) == {field}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("end", ["16:30", "16:29", "00:00"])
def test_hours_of_ones_own_end_after_they_start(end: str, now: datetime) -> None:
    changes = {name: given for name, given in CUSTOM.items() if name != "preferred_time_end"}
    assert "after the start" in refused(now, "preferred_time_end", end, **changes)


@pytest.mark.parametrize("period", ["MORNING", "EVENING"])
def test_hours_are_only_kept_with_hours_of_ones_own(period: str, now: datetime) -> None:
    booking = taken(now, **{**CUSTOM, "preferred_period": period})
    assert (booking.preferred_time_start, booking.preferred_time_end) == (None, None)


@pytest.mark.parametrize("given", ["", None, "NA"])
def test_an_empty_state_is_na(given: object, now: datetime) -> None:
    assert taken(now, state=given).region == "NA"


def test_state_and_country_may_be_left_out(now: datetime) -> None:
    form = {name: value for name, value in api.form(now).items() if name not in ("state", "country")}
    api.done(api.post(api.DRAFT, form), 201)
    assert Booking.objects.values_list("region", "country").get() == ("NA", "India")


@pytest.mark.parametrize("message", ["", None, "  ", "कुछ दिनों से नींद नहीं आती।\n\n— A\r\n\tB", "😔" * 2000])
def test_a_message_is_optional_and_has_paragraphs(message: str | None, now: datetime) -> None:
    assert taken(now, user_message=message).user_message == (message or "").strip()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("message", ["x" * 2001, "a\x00b", "a\ud800b", 7, ["a"], {"a": "b"}])
def test_a_message_too_long_or_no_text_is_refused(message: object, now: datetime) -> None:
    refused(now, "user_message", message)


def test_what_we_did_not_ask_for_is_ignored(now: datetime) -> None:
    booking = taken(now, id=1, acknowledgement_id="MS-000000", client=7, amount_paise=1, **{"\ud800": "\ud800"})
    assert booking.acknowledgement_id != "MS-000000"
    assert booking.amount_paise is None
