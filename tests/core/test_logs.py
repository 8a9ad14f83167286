"""The log: one object a line, one id from the click to the mail, and no words of an error that may quote a person."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from email import message_from_bytes
from pathlib import Path

import pytest
import time_machine
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from backend.bookings.models import LedgerEntry
from backend.bookings.notices import Notice
from backend.core import correlation, logs
from backend.core.errors import Code, Refused, Transient
from backend.ops import operator_actions
from backend.outbox.models import Message
from tests.support import api, log_lines, scenarios, staff_api, system_health
from tests.support.mail_sink import Sink
from tests.support.server import ROOT, environment
from workers import mail, timers

ID = "click-0123456789"


def written(error: Exception | None = None, message: str = "said", *args: object) -> dict[str, str]:
    """One line of production's log."""
    record = logging.LogRecord("backend.x", logging.ERROR, __file__, 1, message, args, error and raised(error))
    line = json.loads(logs.formatter(as_json=True).format(record))
    assert isinstance(line, dict)
    return line


def raised(error: Exception) -> tuple[type[Exception], Exception, object]:
    """The error as `exc_info`, with the traceback it gets by being raised while another one is handled."""
    try:
        try:
            int("Asha Rao")
        except ValueError:
            raise error  # noqa: B904 -- the context is what is looked at
    except Exception as caught:  # noqa: BLE001 -- the error that the test itself raised
        return type(caught), caught, caught.__traceback__


def test_a_line_is_an_object_that_says_when_how_bad_who_and_which_work() -> None:
    correlation.begin(ID, kind="booking_approved", task="workers.mail.drain")
    line = written(None, "%s is %d", "it", 1)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "it is 1",
        "level": "error",
        "logger": "backend.x",
        "correlation_id": ID,
        "kind": "booking_approved",
        "task": "workers.mail.drain",
    }


def test_an_errors_words_are_told_only_where_they_are_ours_or_a_servers() -> None:
    told = {
        Transient("SMTP 451"): "Transient: SMTP 451",
        Refused(Code.SLOT_TAKEN): "Refused: slot_taken",
        OperationalError(
            "connection refused\nDETAIL: Key (email)=(asha@x.org)"
        ): "OperationalError: connection refused",
        IntegrityError("Key (full_name)=(Asha Rao) already exists"): "IntegrityError",
        ValueError("Asha Rao"): "ValueError",
    }
    for error, words in told.items():
        line = written(error)
        assert line["error"] == words
        assert "Asha Rao" not in json.dumps(line).replace('int(\\"Asha Rao\\")', "")  # the source line stands there
        assert "test_logs.py" in line["traceback"]


def test_a_traceback_tells_what_led_to_it_and_no_variables() -> None:
    trace = written(RuntimeError("Asha Rao"))["traceback"]
    assert trace.index("ValueError") < trace.index("RuntimeError")
    assert 'int("Asha Rao")' in trace
    assert "Error: " not in trace


def test_the_net_takes_addresses_and_tokens_but_not_the_names_of_workers() -> None:
    line = written(
        None, "to asha.rao+1@example.co.in, asha%40example.org: /go/cancel/?token=AbC-1_2&x=1, mail@web.example.org"
    )
    assert line["event"] == "to [address], [address]: /go/cancel/?token=[token]&x=1, mail@web.example.org"


def test_in_development_a_line_is_read_by_people() -> None:
    correlation.begin(ID)
    record = logging.LogRecord("backend.x", logging.INFO, __file__, 1, "it is %d", (1,), None)
    line = logs.formatter(as_json=False).format(record)
    assert line.endswith(f"Z INFO backend.x [{ID}] it is 1")
    record.exc_info = raised(ValueError("why"))
    assert "ValueError: why" in logs.formatter(as_json=False).format(record)


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_one_id_goes_from_the_click_to_the_mail_and_the_timeline(now: datetime, sink: Sink) -> None:
    sent: list[bytes] = []
    sink.answer = lambda envelope: sent.append(envelope.content) or ("250 ok" if len(sent) > 1 else "451 busy")
    with time_machine.travel(now, tick=False), log_lines.collected() as lines:
        assert api.post(api.DRAFT, api.form(now), x_correlation_id=ID)["X-Correlation-ID"] == ID
        correlation.begin()  # another process
        mail.drain()
    with (
        time_machine.travel(Message.objects.get(kind=Notice.DRAFT_SUBMITTED).next_attempt_at, tick=False),
        log_lines.collected() as later,
    ):
        mail.drain()

    entry, row = LedgerEntry.objects.get(), Message.objects.get(kind=Notice.DRAFT_SUBMITTED)
    assert (entry.correlation_id, row.correlation_id) == (ID, ID)
    spoken = [line for line in lines.parsed() + later.parsed() if line["correlation_id"] == ID]
    assert [line["event"].split(",")[0] for line in spoken] == [
        "did POST api/bookings/draft/ 201",
        f"draft_submitted {row.uuid} failed",
        f"draft_submitted {row.uuid}: done",
    ]
    assert {line["message"] for line in spoken[1:]} == {str(row.uuid)}
    assert sent[0] == sent[1]  # a retry repeats the id too
    assert message_from_bytes(sent[1])["X-Correlation-ID"] == ID

    shown = api.done(staff_api.desk().get(f"{entry.booking.acknowledgement_id}/"))
    assert [row["correlation_id"] for row in shown["ledger"]] == [ID]


@pytest.mark.django_db
def test_every_sweep_has_an_id_of_its_own_also_one_that_was_asked_for(now: datetime) -> None:
    system_health.healthy(now=now)
    ids = []
    for run in (timers.lapse_drafts.apply, timers.lapse_drafts.apply, asked):
        booking = scenarios.submitted(now=now)
        correlation.begin("an older piece of work")
        with time_machine.travel(booking.due_at, tick=False):
            run()
        ids.append(LedgerEntry.objects.get(booking=booking, intent="lapse_draft").correlation_id)
    assert len({*ids, "", "an older piece of work", "run_asked"}) == 6


def asked() -> None:
    """An operator's wish, taken by the task that runs such wishes."""
    operator_actions.run_timer("lapse_drafts", actor="staff:asha", now=timezone.now())
    timers.run_asked.apply(task_id="run_asked")


@pytest.mark.django_db(transaction=True)
def test_processes_write_nothing_but_objects_in_production() -> None:
    folder = Path(tempfile.mkdtemp(prefix="logs-"))
    given = environment(folder, DEBUG="0", REDIS_URL="redis://127.0.0.1:1/0", PORT="1")
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers", "mail"], cwd=ROOT, env=given, stderr=subprocess.PIPE, text=True
    )
    with worker.stderr as said:
        line = json.loads(said.readline())
        worker.terminate()
        assert worker.wait(30) == 0
    shutil.rmtree(folder)
    assert line["event"].startswith("Waiting: REDIS_URL cannot be reached")


@pytest.mark.parametrize(("error", "has_traceback"), [(OperationalError("refused"), False), (KeyError("x"), True)])
def test_a_task_that_finds_the_database_away_is_one_line(error: Exception, has_traceback: bool) -> None:
    caught = (type(error), error, None)
    record = logging.LogRecord("celery.app.trace", logging.ERROR, "", 0, "%(exc)s", ({"exc": "?"},), caught)
    assert logs.ErrorOfTask().filter(record)
    assert bool(record.exc_info) is has_traceback
    assert type(error).__name__ in record.getMessage()
