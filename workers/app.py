"""The Celery application; its settings are the CELERY_ ones of config/settings/celery.py."""

from __future__ import annotations

import logging.config
import os
import time
from typing import Any

from celery import Celery, Task
from celery.signals import before_task_publish, setup_logging, task_prerun, worker_shutdown, worker_shutting_down
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from backend.core import correlation
from workers import transport
from workers.echo import Listening
from workers.stopping import stopping

transport.register()

app = Celery("mindsettler", fixups=["workers.database:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
_QUEUES = ("workers.mail", "workers.payments", "workers.calls", "workers.timers")
app.conf.imports = (*_QUEUES, "workers.canary", "workers.watch")
app.steps["consumer"].add(Listening)


@setup_logging.connect
def _log(**_signal: Any) -> None:
    """As every other process logs; without this, Celery brings handlers and formats of its own."""
    logging.config.dictConfig(settings.LOGGING)


@worker_shutting_down.connect
def _stop(**_signal: Any) -> None:
    stopping.set()


@worker_shutdown.connect
def _leave(sender: Any, **_signal: Any) -> None:
    """The parent has waited for its children: none of them writes a sign of life after this."""
    from workers import heartbeat  # models, which are there only once Celery has set Django up

    heartbeat.remove(sender.hostname)


@before_task_publish.connect
def _stamp(headers: dict[str, Any], **_signal: Any) -> None:
    """Messages say when they were sent: the broker keeps no time, and the age of the oldest tells who is behind."""
    headers["sent_at"] = time.time()


@task_prerun.connect
def _correlate(task_id: str, task: Task[[], None], **_signal: Any) -> None:
    """A task's own lines carry the task's id; each message it performs brings the id of its request."""
    correlation.begin(task_id, task=task.name)


@task_prerun.connect
def _compare_clocks(**_signal: Any) -> None:
    """A worker's clock is compared before it says anything by it."""
    from workers import heartbeat

    heartbeat.compare_clocks()
