"""The Celery application; its settings are the CELERY_ ones of config/settings.py."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from backend import correlation
from workers.stopping import stopping

app = Celery("mindsettler")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ("workers.mail", "workers.payments", "workers.timers")


@worker_shutting_down.connect
def _stop(**_signal: Any) -> None:
    stopping.set()


@task_prerun.connect
def _correlate(task_id: str, **_signal: Any) -> None:
    """A task's own log lines carry the task's id; each message it performs brings the id of its request."""
    correlation.begin(task_id)
