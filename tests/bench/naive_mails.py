"""The reference's mails: rows, a message for each, and its worker, which waits until all lie there."""

from __future__ import annotations

import json
import subprocess

import psycopg

from tests.bench.service import PYTHON, REFERENCE, ROOT, Service

OWE = "INSERT INTO reference_mail (recipient, context) VALUES (%s, %s)"


def told() -> str:
    """What the letter says, as the reference keeps it."""
    said = {"practice": "MindSettler", "asked_at": "26 November, 10:10", "confirm_by": "28 November, 10:10"}
    said |= {"booking_url": "https://example.org/booking?token=" + "x" * 43, "site_url": "https://example.org"}
    return json.dumps(said)


class Naive:
    """Rows of the reference, and a message for each; who sends them has not our transport, which drops repetitions."""

    def __init__(self, parts: Service, count: int) -> None:
        self._worker = parts.stack.parts["bare worker"]
        self._rows = psycopg.connect(parts.bare_database_url, autocommit=True)
        self._rows.cursor().executemany(OWE, [(f"n{n}@bench.example", told()) for n in range(count)])

    def again(self) -> None:
        """All are owed, and the messages lie there; the worker is frozen meanwhile."""
        self._rows.execute("UPDATE reference_mail SET sent_at = NULL")
        self._worker.freeze()
        code = f"from {REFERENCE} import worker; worker.owe_all()"
        subprocess.run([PYTHON, "-c", code], cwd=ROOT, env=dict(self._worker.environment), check=True)

    def send(self) -> None:
        self._worker.thaw()

    def left(self) -> int:
        [(count,)] = self._rows.execute("SELECT count(*) FROM reference_mail WHERE sent_at IS NULL").fetchall()
        return int(count)
