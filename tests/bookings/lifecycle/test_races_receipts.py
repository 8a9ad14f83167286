"""Numbers of receipts when many processes capture at once and some are killed: no gap, no double."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from backend.bookings.lifecycle.receipts import MAKE_RECEIPT
from backend.bookings.machine import State
from backend.outbox.models import Message
from backend.payments.models import PaymentState, Receipt, ReceiptSeries
from tests.support import factories
from tests.support.races import CROWD, POSTGRES_ONLY
from tests.support.server import ROOT, environment

pytestmark = POSTGRES_ONLY
DEATHS = (0, 2, 4)  # at which number each process kills itself; 0: never


def open_attempts() -> list[int]:
    now, who = timezone.now(), factories.make_psychologist()
    made = []
    for number in range(CROWD):
        start = (now + timedelta(days=2, hours=2 * number)).replace(minute=0, second=0, microsecond=0)
        booking = factories.make_booking(
            State.PAYMENT_PENDING, now=now, email=f"v{number}@example.org", psychologist=who, slot_start=start,
            slot_end=start + timedelta(hours=1),
        )  # fmt: skip
        made.append(
            factories.make_payment(
                booking, now=now, state=PaymentState.OPEN, captured_paise=0, captured_at=None, closed_at=None
            ).pk
        )
    return made


@contextmanager
def capturing(folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are ready."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.capturing_process", str(dies_at)],
            cwd=ROOT, env=environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for dies_at in DEATHS
    ]  # fmt: skip
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_captures_at_once_and_processes_killed_leave_no_gap_and_no_double(tmp_path: Path) -> None:
    ids = open_attempts()
    with capturing(tmp_path) as processes:
        for place, process in enumerate(processes):  # each another order, so that they meet at the series
            first = place * len(ids) // len(processes)
            assert process.stdin
            process.stdin.write(json.dumps(ids[first:] + ids[:first]) + "\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=240)
    assert [process.returncode for process in processes] == [0, -9, -9]
    assert list(Receipt.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, CROWD + 1))
    assert sorted(Receipt.objects.values_list("payment", flat=True)) == ids
    assert ReceiptSeries.objects.get().next_number == CROWD + 1
    owed = Message.objects.filter(kind=MAKE_RECEIPT).values_list("subject_id", flat=True)
    assert sorted(owed) == sorted(Receipt.objects.values_list("pk", flat=True))
