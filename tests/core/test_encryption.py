"""A text that no key reads is said to be so where it stands; everything around it opens, and nothing overwrites it."""

from __future__ import annotations

import copy
import logging
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser

from backend.bookings.lifecycle import approval
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.encryption import Unreadable
from backend.core.errors import Permanent
from backend.notifications.enquiries import enquiry_context
from backend.ops import doctor
from backend.outbox.models import Message
from backend.people.models import Enquiry
from tests.support import api, factories, scenarios
from tests.support.admin_site import list_url, owner, page_url
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
    assert set(said) == {"cannot read bookings.Booking.user_message; is FIELD_KEY complete?"}


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
    Booking.objects.update(user_message="readable")
    assert doctor.texts() == ()


def test_an_enquiry_that_cannot_be_read_is_listed_opened_and_not_mailed(desk: Browser, now: datetime) -> None:
    enquiry = factories.make_enquiry(now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_enquiry SET text = %s", [BROKEN])
    assert desk.get(list_url(Enquiry)).status_code == 200
    assert Unreadable.SENTENCE in desk.get(page_url(enquiry)).content.decode()
    with pytest.raises(Permanent):
        enquiry_context(Message(subject_id=enquiry.pk))
