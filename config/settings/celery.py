"""The broker, the workers, and beat."""

from __future__ import annotations

import hashlib
import re
import socket
import tempfile
from pathlib import Path

from backend.core import broker_url
from backend.core import environment as env
from backend.core.environment import Misconfigured
from config import schedule
from config.settings.deployment import VAR_DIR


def _embedded_broker() -> str:
    """The socket of the embedded Valkey. Socket paths end at about 100 bytes, so a deep folder moves it to the temp dir."""
    path = VAR_DIR.resolve() / "valkey.sock"
    if len(str(path)) > 90:
        path = Path(tempfile.gettempdir()) / f"mindsettler-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}.sock"
    return f"redis+socket://{path}"


REDIS_URL = env.text(
    "REDIS_URL",
    "Redis 7 or Valkey, for Celery alone",
    shown_default="an embedded Valkey in `var/`",
    example="redis://redis.example.org:6379/0",
)
if REDIS_URL:
    env.refuse_raw_password("REDIS_URL", REDIS_URL, ("redis+socket", "rediss", "redis"))

try:
    CELERY_BROKER_URL = broker_url.read(REDIS_URL or _embedded_broker()).kombu
except ValueError as _error:
    raise Misconfigured(f"REDIS_URL cannot be used: {_error}") from _error
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives its broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # seconds; above twice the hard limit of any task, so that no running one comes again
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
WORKER_CONCURRENCY = env.integer(
    "WORKER_CONCURRENCY", "tasks a mail or payments worker performs at once", default=2, minimum=1
)
NODE_NAME = env.text(
    "NODE_NAME",
    "a process's name among its like, kept over restarts; set it where several of one type share a machine",
    default=socket.gethostname(),
    shown_default="the host's name",
    example="worker-2",
)
if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", NODE_NAME):
    raise Misconfigured(f"NODE_NAME={NODE_NAME!r}: expected letters, digits, dots and dashes.")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the lease brings the work back; rejecting loops on poison
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 60  # seconds
CELERY_TASK_SOFT_TIME_LIMIT = 45  # seconds
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # a message could stop workers, change their limits, have them hear nothing
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20  # seconds a task in hand may go on after SIGTERM
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_DEFAULT_QUEUE = "timers"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ROUTES = schedule.ROUTES
CELERY_TIMEZONE = "UTC"
CELERY_RESULT_EXPIRES = None  # nothing is kept, so beat's table needs no nightly clean-up
CELERY_BEAT_SCHEDULER = "workers.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # second
DJANGO_CELERY_BEAT_TZ_AWARE = True
BEAT_TABLE = schedule.TABLE
