"""Secrets can be replaced while everything runs, the way docs/operations/README.md says."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from backend.bookings import links
from backend.bookings.lifecycle import visitor
from backend.bookings.models import Booking, Link
from backend.core import keyring
from backend.core.encryption import Unreadable
from backend.ops import doctor
from backend.outbox import messages
from backend.outbox.models import Message, MessageState
from backend.people.models import Enquiry
from tests.support import factories, mail_sink, scenarios, working_hours
from tests.support.alternatives import rejected, tokens
from tests.support.link_pages import look, press, shown
from tests.support.mail_sink import Sink
from workers import mail

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::ResourceWarning")]
WORDS = "I would like to talk to someone."


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with mail_sink.listening() as sink:
        sink.serve(settings)
        yield sink
        mail._outlet.close()


def a_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def mail_of(booking: Booking) -> Message:
    return Message.objects.filter(booking_id=booking.pk).earliest("pk")


def test_both_rings_are_rotated_in_the_same_three_steps_and_nothing_is_lost(now: datetime, settings: Any) -> None:
    old, new = a_key(), a_key()

    def rings(*keys: str) -> None:
        settings.FIELD_KEY = settings.TOKEN_KEY = list(keys)

    rings(old)
    booking = scenarios.submitted(now=now)
    mailed = scenarios.token_of(booking)
    for keys in ([old, new], [new, old]):  # known everywhere before anybody writes with it; then it writes
        rings(*keys)
        assert scenarios.again(booking).user_message == WORDS
        assert scenarios.token_of(booking) == mailed  # a retry sends the same bytes
    after = scenarios.submitted("ravi@example.org", now=now)
    call_command("encrypt_again", stdout=StringIO())
    Message.objects.filter(booking_id=booking.pk).update(state=MessageState.DONE)

    rings(new)
    assert scenarios.again(booking).user_message == WORDS
    assert visitor.verify_email(mailed, now=now).pk == booking.pk  # what was mailed is known by its digest
    assert visitor.verify_email(scenarios.token_of(after), now=now).pk == after.pk


def test_the_first_key_of_a_ring_writes_and_a_key_has_the_same_id_at_any_place(settings: Any) -> None:
    settings.TOKEN_KEY = settings.FIELD_KEY = ["new", "old"]
    new, old = keyring.ring("TOKEN_KEY")
    settings.TOKEN_KEY = ["old", "new"]
    assert keyring.ring("TOKEN_KEY").newest == old
    assert keyring.ring("TOKEN_KEY").find(new.id) == new
    assert keyring.ring("TOKEN_KEY").find("00000000") is None
    assert len({new.id, old.id, *(key.id for key in keyring.ring("FIELD_KEY"))}) == 4
    assert "old" not in old.id


def test_every_encrypted_text_is_written_with_the_first_field_key(now: datetime, settings: Any) -> None:
    old, new = a_key(), a_key()
    settings.FIELD_KEY = [old]
    booking, enquiry = scenarios.submitted(now=now), factories.make_enquiry(now=now)
    purged = scenarios.submitted("ravi@example.org", now=now, user_message="")
    settings.FIELD_KEY = [new, old]
    out = StringIO()
    call_command("encrypt_again", stdout=out)
    assert "bookings.Booking.user_message, 1 rows" in out.getvalue()

    settings.FIELD_KEY = [new]
    assert scenarios.again(booking).user_message == WORDS
    assert scenarios.again(purged).user_message == ""
    assert Enquiry.objects.get(pk=enquiry.pk).text == enquiry.text
    settings.FIELD_KEY = [old]
    assert isinstance(scenarios.again(booking).user_message, Unreadable)


def test_a_mail_whose_key_was_taken_away_is_given_up_with_a_clear_word_and_the_others_leave(
    now: datetime, settings: Any, sink: Sink
) -> None:
    settings.TOKEN_KEY = ["old"]
    orphan = scenarios.submitted(now=now)
    settings.TOKEN_KEY = ["new"]  # too early: a mail that the old one signed still waits
    scenarios.submitted("ravi@example.org", now=now)
    drain(now)
    given_up = mail_of(orphan)
    assert given_up.state == MessageState.DEAD
    assert given_up.attempts == 1
    assert given_up.last_error == "the link's key is no longer in TOKEN_KEY"
    assert sink.recipients == [["ravi@example.org"]]

    settings.TOKEN_KEY = ["new", "old"]  # put back, at whatever place, and the dead letter re-driven
    assert messages.redrive(given_up.pk, now=now)
    drain(now)
    assert sink.recipients[1:] == [[scenarios.ASHA]]
    assert visitor.verify_email(scenarios.token_of(orphan), now=now).pk == orphan.pk


def test_links_that_were_mailed_work_without_their_key(now: datetime, settings: Any) -> None:
    settings.TOKEN_KEY, settings.PAYMENT_GATEWAY = ["old"], "sandbox"
    with time_machine.travel(now, tick=False):
        first, second, third = tokens(rejected(working_hours.psychologist(), now))
        settings.TOKEN_KEY = ["new"]
        page = look("/go/alternative/", second)
        assert "Do you want to take this time?" in shown(page)
        for sibling in (first, third):  # cannot be derived again; their own links in the mail go on working
            assert sibling not in page.content.decode()
            assert "Do you want to take this time?" in shown(look("/go/alternative/", sibling))
        assert "This time is yours" in shown(press(page))


def test_the_doctor_counts_the_mails_that_still_need_a_key(now: datetime, settings: Any) -> None:
    settings.TOKEN_KEY = ["old"]
    scenarios.submitted(now=now)
    old = Link.objects.latest("pk").key_id
    settings.TOKEN_KEY = ["new", "old"]
    assert links.mails_waiting_by_key() == {old: 2}  # the mail and its reminder
    assert doctor.keys() == ()

    settings.TOKEN_KEY = ["new"]
    (finding,) = doctor.keys()
    assert finding.text == f"Mails that cannot be sent, their key {old} is not in TOKEN_KEY: 2."
    settings.TOKEN_KEY = ["new", "old"]
    Message.objects.update(state=MessageState.DONE)
    assert doctor.keys() == ()  # the new one may not be in use everywhere
    scenarios.submitted("ravi@example.org", now=now)
    assert links.mails_waiting_by_key() == {old: 0, keyring.ring("TOKEN_KEY").newest.id: 2}
    (finding,) = doctor.keys()
    assert finding.text == f"No waiting mail needs key {old} of TOKEN_KEY any more."
