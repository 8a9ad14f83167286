"""The Celery application; its settings are the CELERY_ ones of config/settings.py."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, task_prerun, worker_shutdown, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from backend import correlation
from workers.stopping import stopping

app = Celery("mindsettler")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("workers.mail", "workers.payments", "workers.timers", "workers.canary")


@worker_shutting_down.connect
def _stop(**_signal: Any) -> None:
    stopping.set()


@worker_shutdown.connect
def _leave(sender: Any, **_signal: Any) -> None:
    """The parent has waited for its children: none of them writes a sign of life after this."""
    from workers import life  # models, which are there only once Celery has set Django up

    life.say_bye(sender.hostname)


@before_task_publish.connect
def _stamp(headers: dict[str, Any], **_signal: Any) -> None:
    """Messages say when they were sent: the broker keeps no time, and the age of the oldest tells who is behind."""
    headers["sent_at"] = time.time()


@task_prerun.connect
def _correlate(task_id: str, **_signal: Any) -> None:
    """A task's own log lines carry the task's id; each message it performs brings the id of its request."""
    correlation.begin(task_id)
