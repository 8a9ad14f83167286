"""Secrets can be replaced while everything runs, the way docs/operations/README.md says."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.core.management import call_command

from backend.bookings.lifecycle import visitor
from backend.bookings.models import Booking
from backend.people.models import Enquiry
from tests.support import factories, scenarios

pytestmark = pytest.mark.django_db
WORDS = "I would like to talk to someone."


def a_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def test_a_field_key_is_replaced_in_three_steps_and_every_text_stays(now: datetime, settings: Any) -> None:
    old, new = a_key(), a_key()
    settings.FIELD_KEY = [old]
    booking, enquiry = scenarios.submitted(now=now), factories.make_enquiry(now=now)
    purged = scenarios.submitted("ravi@example.org", now=now, user_message="")

    settings.FIELD_KEY = [old, new]  # everywhere, before anybody writes with it
    assert scenarios.again(booking).user_message == WORDS
    settings.FIELD_KEY = [new, old]
    assert scenarios.again(booking).user_message == WORDS
    out = StringIO()
    call_command("encrypt_again", stdout=out)
    assert "bookings.Booking.user_message, 1 rows" in out.getvalue()

    settings.FIELD_KEY = [new]
    assert scenarios.again(booking).user_message == WORDS
    assert scenarios.again(purged).user_message == ""
    assert Enquiry.objects.get(pk=enquiry.pk).text == enquiry.text
    settings.FIELD_KEY = [old]
    with pytest.raises(InvalidToken):
        Booking.objects.get(pk=booking.pk)


def test_a_token_key_is_added_at_the_end_and_an_old_one_replaced_in_its_place(now: datetime, settings: Any) -> None:
    settings.TOKEN_KEY = ["old"]
    before = scenarios.submitted(now=now)
    mailed = scenarios.token_of(before)
    settings.TOKEN_KEY = ["old", "new"]
    after = scenarios.submitted("ravi@example.org", now=now)
    assert scenarios.token_of(before) == mailed  # a retry sends the same link

    settings.TOKEN_KEY = ["gone", "new"]
    assert scenarios.token_of(before) != mailed  # so only once nothing that it signed waits to be sent
    assert visitor.verify_email(mailed, now=now).pk == before.pk  # what was mailed is known by its digest
    assert visitor.verify_email(scenarios.token_of(after), now=now).pk == after.pk
