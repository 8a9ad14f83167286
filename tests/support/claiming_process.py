"""A process that claims mail rows as fast as it can: prints `ready`, waits for a line, prints the ids it claimed."""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.utils import timezone  # noqa: E402 -- after the setup

from backend.outbox import messages  # noqa: E402
from backend.outbox.models import Queue  # noqa: E402


def claim_all() -> list[int]:
    """The ids this process claimed, in order."""
    claimed: list[int] = []
    while rows := messages.claim(Queue.MAIL, now=timezone.now(), limit=1):
        claimed += [row.pk for row in rows]
    return claimed


messages.claim(Queue.PAYMENTS, now=timezone.now())  # connects
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
json.dump(claim_all(), sys.stdout)
