"""A process that records the captures of these payments; prints `ready` and waits for their ids.

With a number as its argument it kills itself when it has taken that many numbers of receipts, the last not committed.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402 -- after the setup

from backend.bookings.lifecycle import payments  # noqa: E402
from backend.payments import receipts  # noqa: E402
from backend.payments.models import Payment  # noqa: E402
from backend.payments.receipt_series import Place, take  # noqa: E402
from tests.support import scenarios  # noqa: E402

KILLED_AT = int(sys.argv[1]) if len(sys.argv) > 1 else 0
_taken = 0


def take_or_die(*given: object) -> Place:
    global _taken
    place = take(*given)  # type: ignore[arg-type]
    _taken += 1
    if _taken == KILLED_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    return place


receipts.take = take_or_die
Payment.objects.first()  # connects
sys.stdout.write("ready\n")
sys.stdout.flush()
ids = json.loads(sys.stdin.readline())
for pk in ids:
    payments.record_report(scenarios.captured(Payment.objects.get(pk=pk)), actor="gateway:sandbox", now=timezone.now())
