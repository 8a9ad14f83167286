"""A text is sealed for its row and column, with one of our keys; what is not is refused where it stands and reported.

Everything around it opens, and nothing overwrites it.
"""

from __future__ import annotations

import base64
import copy
import logging
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client as Browser

from backend.accounts import second_factor
from backend.bookings import kept_answers
from backend.bookings.lifecycle import approval, rooms
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core import keyring, sealing
from backend.core.encryption import Unreadable, encrypted_columns
from backend.core.errors import Permanent
from backend.notifications import delivery
from backend.notifications.enquiries import enquiry_context
from backend.ops import doctor
from backend.outbox.models import Message
from backend.people.models import Client, Enquiry
from backend.webhooks import subscriptions
from tests.support import api, factories, scenarios, sentinels
from tests.support.admin_site import list_url, owner, page_url
from tests.support.database_rows import dump
from tests.support.staff_api import Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
BROKEN = "gAAAAABbroken"


def stored(column: str = "bookings_booking", name: str = "user_message") -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {column} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def booking(now: datetime) -> Booking:
    made = scenarios.pending(now=now, user_message="I sleep badly.")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bookings_booking SET user_message = %s", [BROKEN])
    return made


def test_a_booking_opens_though_its_message_cannot_be_read(
    booking: Booking, staff: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    page = owner("owner").get(page_url(booking))
    assert page.status_code == 200
    assert Unreadable.SENTENCE in page.content.decode()
    assert "asha" in page.content.decode()
    body = api.done(staff.get(f"{booking.acknowledgement_id}/"))
    assert body["user_message"] == Unreadable.SENTENCE
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert said
    assert set(said) == {"cannot read bookings.Booking.user_message: it is not bound to a row"}


def test_what_cannot_be_read_is_never_written_over(booking: Booking, now: datetime) -> None:
    approval.reject(booking.pk, note_to_visitor="Full.", actor="staff:desk", now=now)
    again = Booking.objects.get()
    assert (again.state, copy.deepcopy(again.user_message).stored) == (State.REJECTED, BROKEN)  # type: ignore[attr-defined]
    again.save()
    said, wrong = StringIO(), StringIO()
    call_command("encrypt_again", stdout=said, stderr=wrong)
    assert "1 more cannot be read" in wrong.getvalue()
    assert stored() == [BROKEN]


def test_operators_hear_of_texts_that_cannot_be_read(booking: Booking, now: datetime) -> None:
    [finding] = doctor.texts()
    assert finding.text == "Texts of bookings.Booking.user_message that cannot be read: 1."
    booking.user_message = "readable"
    booking.save()
    assert doctor.texts() == ()


def test_an_enquiry_that_cannot_be_read_is_listed_opened_and_not_mailed(desk: Browser, now: datetime) -> None:
    enquiry = factories.make_enquiry(now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_enquiry SET text = %s", [BROKEN])
    assert desk.get(list_url(Enquiry)).status_code == 200
    assert Unreadable.SENTENCE in desk.get(page_url(enquiry)).content.decode()
    with pytest.raises(Permanent):
        enquiry_context(Message(subject_id=enquiry.pk))


# -- bound to its row and column ---------------------------------------------------------------------------------------


def write(table: str, name: str, pk: int, text: str) -> None:
    """Past the models, as whoever could write to the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [text, pk])


def test_a_text_moved_to_another_row_or_column_is_refused_and_reported(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    asha = scenarios.submitted(now=now, user_message="Asha's words.")
    ravi = scenarios.submitted("ravi@example.org", now=now, user_message="Ravi's words.")
    first, second = stored()
    write("bookings_booking", "user_message", asha.pk, second)
    write("bookings_booking", "emergency_contact", ravi.pk, second)
    assert isinstance(scenarios.again(asha).user_message, Unreadable)
    assert isinstance(scenarios.again(ravi).emergency_contact, Unreadable)
    assert scenarios.again(ravi).user_message == "Ravi's words."
    said = [record.getMessage() for record in caplog.records]
    assert all("moved here from another row or column" in line for line in said)
    assert [found.text for found in doctor.texts()] == [
        "Texts of bookings.Booking.emergency_contact that cannot be read: 1.",
        "Texts of bookings.Booking.user_message that cannot be read: 1.",
    ]
    write("bookings_booking", "user_message", asha.pk, first)
    assert scenarios.again(asha).user_message == "Asha's words."


def test_a_text_that_is_not_bound_is_refused(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    unbound = Fernet(keyring.ring("FIELD_KEY").newest.secret.encode()).encrypt(b"planted").decode()
    write("bookings_booking", "user_message", booking.pk, unbound)
    assert isinstance(scenarios.again(booking).user_message, Unreadable)


def test_a_text_is_stored_through_its_row_alone(now: datetime) -> None:
    scenarios.submitted(now=now)
    with pytest.raises(TypeError, match="user_message is bound to its row"), transaction.atomic():
        Booking.objects.update(user_message="without a row")
    with pytest.raises(TypeError):
        Booking.objects.filter(emergency_contact="Vikram").exists()
    assert Booking.objects.exclude(user_message="").update(user_message="") == 1


def test_a_version_of_a_client_is_sealed_for_its_instant(now: datetime, clock: time_machine.Traveller) -> None:
    client = Client.objects.create(email="asha@example.org", emergency_contact="Vikram", created_at=now)
    clock.shift(60)
    client.emergency_contact = "Meera"
    client.save()
    newer, older = client.history.order_by("-history_id")
    assert (newer.emergency_contact, older.emergency_contact) == ("Meera", "Vikram")
    newest, oldest = reversed(stored("people_historicalclient ORDER BY history_id --", "emergency_contact"))
    assert len({newest, oldest, *stored("people_client", "emergency_contact")}) == 3
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_historicalclient SET emergency_contact = %s", [oldest])
    newer, older = client.history.order_by("-history_id")
    assert (str(newer.emergency_contact), older.emergency_contact) == (Unreadable.SENTENCE, "Vikram")


def test_words_that_are_read_by_few_stand_nowhere_in_the_rows(now: datetime) -> None:
    scenarios.pending(now=now)
    factories.make_enquiry(now=now)
    kept_answers.keep(kept_answers.reserve("digest", "", now=now), "words", (), now=now)
    second_factor.begin_app(User.objects.create_user("desk"))
    room = rooms.planned(scenarios.confirmed(scenarios.RAVI, now=now), now=now)
    room.address = "https://zoom.example.org/j/1"
    room.save()
    subscriptions.subscribe(name="x", address="https://x.example.org", events=[], by="staff:desk", now=now)
    columns = {f"{model._meta.db_table}.{field.column}" for model, field in encrypted_columns()}
    assert columns == {
        "bookings_booking.user_message", "bookings_booking.emergency_contact", "bookings_booking.note_to_visitor",
        "bookings_booking.refund_note", "bookings_booking.guardian_name", "people_client.emergency_contact",
        "people_historicalclient.emergency_contact", "people_enquiry.text", "outbox_message.context",
        "accounts_authenticator.secret", "bookings_keptanswer.answer", "webhooks_secret.secret", "rooms_room.address",
    }  # fmt: skip
    for name in columns:
        table, column = name.split(".")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM {table}")
            texts = [row[0] for row in cursor.fetchall()]
        assert all(not text or text.startswith(sealing.newest_prefix()) for text in texts), name


def test_a_dump_of_the_database_holds_no_word_of_a_message_a_contact_or_a_note(now: datetime, desk: Browser) -> None:
    booking = scenarios.pending(now=now, **sentinels.DRAFT)
    desk.get(page_url(booking))
    approval.reject(booking.pk, note_to_visitor=sentinels.NOTE, actor="staff:desk", now=now)
    booking = scenarios.again(booking)
    booking.guardian_name = sentinels.GUARDIAN
    booking.save(update_fields=["guardian_name"])
    factories.make_enquiry(now=now, text=sentinels.ENQUIRY)
    for message in Message.objects.filter(booking_id=booking.pk).order_by("pk"):
        if (said := delivery.prepare(message, now=now)) is not None:
            message.context = said
            message.save()
    assert sentinels.NOTE in str([message.context for message in Message.objects.all()])
    found = sentinels.found_in(dump())
    secret = {"oglethorpe", "9898989801", "porcelain walrus", "marmalade", "gossamer teapot", "fernsby"}
    assert secret <= set(sentinels.WORDS)
    assert found & secret == set()
    assert "quixhaven" in found  # what is not sealed is seen: the search finds what is there


def test_what_a_mail_says_is_sealed_and_what_cannot_be_read_is_not_mailed(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    message = Message.objects.filter(booking_id=booking.pk).earliest("pk")
    message.context, message.may_have_left = {"note": "We are full."}, True
    message.save()
    (text, *_) = stored("outbox_message", "context")
    assert text.startswith(sealing.newest_prefix())
    again = Message.objects.get(pk=message.pk)
    assert again.context == {"note": "We are full."}
    write("outbox_message", "context", message.pk, BROKEN)
    with pytest.raises(Permanent, match="is FIELD_KEY complete"):
        delivery.prepare(Message.objects.get(pk=message.pk), now=now)


def test_reading_a_text_asks_the_database_nothing_more(now: datetime, django_assert_num_queries: Any) -> None:
    pk = scenarios.submitted(now=now, user_message="quiet").pk
    with django_assert_num_queries(1):
        assert Booking.objects.get(pk=pk).user_message == "quiet"
    with django_assert_num_queries(2):  # as any column that was left out
        assert Booking.objects.defer("user_message").get(pk=pk).user_message == "quiet"


# -- the key ring ------------------------------------------------------------------------------------------------------


def test_a_rotation_that_was_stopped_goes_on_with_what_an_older_key_sealed(
    now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    settings.FIELD_KEY = [old]
    for n in range(2):
        scenarios.submitted(f"a{n}@example.org", now=now, emergency_contact="")
    settings.FIELD_KEY = [new, old]
    seal, sealed = sealing.seal, []

    def stops(text: str, place: str) -> str:
        if sealed:
            raise KeyboardInterrupt
        sealed.append(place)
        return seal(text, place)

    with monkeypatch.context() as patch:
        patch.setattr("backend.core.encryption.seal", stops)
        with pytest.raises(KeyboardInterrupt):
            call_command("encrypt_again", stdout=StringIO())
    out = StringIO()
    call_command("encrypt_again", stdout=out)
    assert "bookings.Booking.user_message, 1 rows" in out.getvalue()
    settings.FIELD_KEY = [new]
    assert {row.user_message for row in Booking.objects.all()} == {"I would like to talk to someone."}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("asked", [(), ("bookings",), ("auth.group", "--format", "jsonl")])
def test_dumpdata_writes_no_text_in_the_clear(asked: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="backup dump"):
        call_command("dumpdata", *asked)
