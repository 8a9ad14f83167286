"""A mail that kills its worker: parked after its attempts, in nobody's way, and sent once when the fault is mended."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState
from tests.support import mail_sink, scenarios
from tests.support.gateway import until
from tests.support.poison_mail import DEADLY, DEADLY_ONCE_TAKEN
from tests.support.processes import Stack, stack

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def owe_mail_to(address: str) -> Message:
    """A due mail to `address`."""
    booking = scenarios.submitted(address, now=timezone.now())
    return Message.objects.get(booking_id=booking.pk, kind="draft_submitted")


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def let_a_lease_pass(*rows: Message) -> None:
    """What waiting for LEASE would do."""
    for row in Message.objects.filter(pk__in=[row.pk for row in rows]):
        if row.attempts:  # one that was not begun has its turn already, and no clock makes that older
            row.next_attempt_at -= attempts.LEASE
        row.lease_expires_at = row.lease_expires_at and row.lease_expires_at - attempts.LEASE
        row.save(update_fields=["next_attempt_at", "lease_expires_at"])


def wake_until_attempt(running: Stack, row: Message, attempt: int) -> None:
    """Wake the worker until the row was begun that often."""
    running.wake("mail")
    until(lambda: fresh(row).attempts >= attempt, else_show=running.processes[-1].log)


def test_a_mail_that_kills_its_worker_is_parked_and_the_queue_flows_and_its_redrive_sends_it_once() -> None:
    with mail_sink.listening() as sink, stack(**sink.environment()) as running:
        poison, beside = owe_mail_to(DEADLY), owe_mail_to("beside@example.org")
        broken = running.worker("mail", "broken", DJANGO_SETTINGS_MODULE="tests.support.poison_settings")
        for attempt in (1, 2):  # its worker dies as it leaves, so that nobody knows whether it did
            wake_until_attempt(running, poison, attempt)
            if attempt == 1:  # claimed together with the poison, and unbegun when its worker was killed
                assert fresh(beside).state == MessageState.WAITING
            if attempt == 2:  # so it goes first when the lease of both has passed
                until(lambda: fresh(beside).state == MessageState.DONE, else_show=broken.log)
            healthy = owe_mail_to(f"healthy{attempt}@example.org")
            running.wake("mail")
            until(lambda row=healthy: fresh(row).state == MessageState.DONE, else_show=broken.log)
            let_a_lease_pass(poison, beside)
        running.wake("mail")
        until(lambda: fresh(poison).state == MessageState.UNKNOWN, else_show=broken.log)
        assert fresh(poison).attempts == 2
        assert "died" in fresh(poison).last_error
        taken = owe_mail_to(DEADLY_ONCE_TAKEN)
        for attempt in (1, 2):
            wake_until_attempt(running, taken, attempt)
            until(lambda times=attempt: sink.recipients.count([DEADLY_ONCE_TAKEN]) == times, else_show=broken.log)
            let_a_lease_pass(taken)
        running.wake("mail")
        until(lambda: fresh(taken).state == MessageState.UNKNOWN, else_show=broken.log)
        broken.stop()

        running.worker("mail", "mended")
        assert sorted(press_twice(poison)) == [False, True]
        running.wake("mail", times=3)
        until(lambda: fresh(poison).state == MessageState.DONE)
        assert fresh(poison).attempts == 1
    assert [DEADLY] in sink.recipients
    assert sorted(sink.times_sent().values()) == [1, 1, 1, 1, 2]


def press_twice(row: Message) -> list[bool]:
    """Two people press "send again" at the same moment."""
    together = threading.Barrier(2)

    def press(_person: int) -> bool:
        try:
            together.wait(timeout=10)
            return messages.redrive(row.pk, now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        return list(people.map(press, range(2)))
