"""What staff do: commands of manage.py, in the environment of the stack."""

from __future__ import annotations

import random
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.demo.expectations import Unexpected

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 60
PSYCHOLOGISTS = {  # made by `manage.py seed_practice`
    "Dr. Ananya Iyer": "ananya.iyer@example.org",
    "Dr. Rohan Mehta": "rohan.mehta@example.org",
    "Kavita Deshpande": "kavita.deshpande@example.org",
}
ROUNDS = 3  # a slot of the fast profile is over in seconds, so asking again may find one free

# No mail and no page tells the id of a draft; staff see it in the admin
DRAFT_ID = (
    "from django.apps import apps; "
    "print(apps.get_model('bookings.Booking').objects.filter(email='{address}').latest('pk').acknowledgement_id)"
)

# The API has no door for these three: who may log in, and which days are closed, is settled in the admin
OPEN_ACCOUNT = (
    "from django.contrib.auth.models import User; User.objects.create_superuser('{name}'); print('opened {name}')"
)
CLOSE_ACCOUNT = (
    "from django.contrib.auth.models import User; User.objects.get(username='{name}').delete(); print('closed')"
)
OPEN_EVERY_DAY = (
    "from django.apps import apps; print('removed', apps.get_model('bookings.ClosedDay').objects.all().delete()[0])"
)
IS_CLOSED_TODAY = (
    "from django.apps import apps; from django.utils import timezone; "
    "print('closed:', apps.get_model('bookings.ClosedDay').calendar()(timezone.now())[1])"
)


class Commands:
    """Someone of the practice, who reads `inbox` and whose commands run in `environment`."""

    def __init__(self, environment: dict[str, str], inbox: str) -> None:
        self.inbox = inbox
        self._environment = environment

    def approve(self, acknowledgement_id: str, *, starts_in: int) -> str:
        """Find a psychologist who is free in `starts_in` seconds, other demos may hold some; what the command says."""
        refusal = ""
        for psychologist in random.sample(list(PSYCHOLOGISTS), k=len(PSYCHOLOGISTS)) * ROUNDS:
            options = ["--psychologist", psychologist, "--in", str(starts_in), "--despite-hours"]
            done = self._manage("approve_booking", acknowledgement_id, *options)
            if done.returncode == 0:
                return _matching(rf"{acknowledgement_id} APPROVED .+", done)
            refusal = done.stderr.strip()
            if "slot_taken" not in refusal:
                break
        raise Unexpected(f"approve_booking to approve {acknowledgement_id}", f"it said “{refusal}”")

    def draft_id(self, address: str) -> str:
        """The acknowledgement id of a draft that nobody was told yet."""
        words = DRAFT_ID.format(address=address)
        return self._shell(words, r"MS-\w{6}")

    @contextmanager
    def token(self) -> Iterator[str]:
        """Of a member of staff, for as long as the block lasts."""
        name = f"demo-{secrets.token_hex(4)}"
        self._shell(OPEN_ACCOUNT.format(name=name), f"opened {name}")
        try:
            yield _matching(r"\w{64}", self._manage("staff_token", name, "--name", "demo", "--scope", "act"))
        finally:
            self._shell(CLOSE_ACCOUNT.format(name=name), "closed")

    def open_every_day(self) -> str:
        """Remove all closed days, on which no deadline of staff's would pass; what was done."""
        return self._shell(OPEN_EVERY_DAY, r"removed \d+")

    def is_closed_today(self) -> bool:
        """Whether today's hours count for staff's deadlines."""
        return self._shell(IS_CLOSED_TODAY, "closed: (True|False)") == "closed: True"

    def _shell(self, words: str, pattern: str, **secret: str) -> str:
        return _matching(pattern, self._manage("shell", "--no-imports", "-c", words, **secret))

    def _manage(self, *words: str, **secret: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        environment = self._environment | secret
        try:
            return subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise Unexpected(f"manage.py {words[0]} to end", f"it still ran after {TIMEOUT_SECONDS} s") from error


def _matching(pattern: str, done: subprocess.CompletedProcess[str]) -> str:
    """The line of the output that looks so."""
    found = re.search(rf"^{pattern}$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        said = (done.stderr or done.stdout).strip()
        raise Unexpected(f"a line like “{pattern}” from manage.py", f"code {done.returncode}, “{said[-400:]}”")
    return found[0]
