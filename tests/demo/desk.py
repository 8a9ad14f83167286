"""What staff do: commands of manage.py, in the environment of the stack."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

from tests.demo.unexpected import Unexpected

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 60
PSYCHOLOGISTS = ("Dr. Ananya Iyer", "Dr. Rohan Mehta", "Kavita Deshpande")  # made by `manage.py seed_practice`
ROUNDS = 3  # a slot of the fast profile is over in seconds, so asking again may find one free

# No mail and no page tells the id of a draft; staff see it in the admin
DRAFT_ID = (
    "from django.apps import apps; "
    "print(apps.get_model('bookings.Booking').objects.filter(email='{address}').latest('pk').acknowledgement_id)"
)


class Desk:
    """Someone of the practice, who reads `inbox` and whose commands run in `environment`."""

    def __init__(self, environment: dict[str, str], inbox: str) -> None:
        self.inbox = inbox
        self._environment = environment

    def approve(self, acknowledgement_id: str, *, starts_in: int) -> str:
        """Find a psychologist who is free in `starts_in` seconds, other demos may hold some; what the command says."""
        refusal = ""
        for psychologist in random.sample(PSYCHOLOGISTS, k=len(PSYCHOLOGISTS)) * ROUNDS:
            options = ["--psychologist", psychologist, "--in", str(starts_in)]
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
        return _matching(r"MS-\w{6}", self._manage("shell", "--no-imports", "-c", words))

    def _manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        try:
            return subprocess.run(
                command, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
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
