"""The usual design, for comparison: commit a row, then `.delay(id)`; what Redis or a worker loses is lost.

Retries are Celery's own, as its manual suggests. Granian serves `application`, Celery's workers run `app`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import requests
from celery import Celery

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER", ""))
app.conf.worker_hijack_root_logger = False


@app.task(autoretry_for=(requests.RequestException, psycopg.Error), retry_backoff=2, max_retries=5)
def perform(effect_id: int) -> None:
    """Send one mail."""
    with _database() as database:
        row = database.execute("SELECT recipient, is_done FROM naive_effect WHERE id = %s", [effect_id]).fetchone()
    if row is None or row[1]:
        return
    key = {"Message-ID": f"<naive-{effect_id}@localhost>"}
    mail = {"to": [row[0]], "subject": "Confirm your request", "text": "…", "headers": key}
    requests.post(os.environ["EMAIL_API_URL"] + "emails", json=mail, timeout=10).raise_for_status()
    with _database() as database:
        database.execute("UPDATE naive_effect SET is_done = true WHERE id = %s", [effect_id])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One door: POST an address, and it is owed a mail."""
    answer = {}
    if environ["REQUEST_METHOD"] == "POST":
        given = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        with _database() as database:
            row = database.execute(
                "INSERT INTO naive_effect (recipient) VALUES (%s) RETURNING id", [given["email"]]
            ).fetchone()
        assert row is not None
        perform.delay(row[0])
        answer["id"] = row[0]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _database() -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(os.environ["DATABASE_URL"])
