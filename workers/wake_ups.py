"""What a message of the broker may say: which task of its queue to wake, and nothing else.

Whoever may write to Redis can write any message. So none is passed on: a new one is made of its task's name. Arguments,
callbacks, instants, time limits, ids, contents and routes of what came are left behind, unread.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from uuid import uuid4

from celery import current_app

from backend.ops.broker import SENT_AT, instant

QUEUES = ("mail", "payments", "calls", "timers")
ECHO = "echo."  # what the name of a list begins with by which a worker hears itself
LONGEST = 16 * 1024  # bytes; an honest message has 1,200, and what is longer is not even parsed
NAME = re.compile(r"workers\.(mail|payments|calls|timers)\.[a-z_]{1,50}")
NOTHING = base64.b64encode(b'[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]').decode()


def are_of(queue: str) -> bool:
    """Whether it is one of ours; Flower reads events of its own beside them."""
    return queue in QUEUES or queue.startswith(ECHO)


def anew(message: dict[str, Any], queue: str) -> dict[str, Any]:
    """The message that a worker of `queue` gets for this one. Raises ValueError for what wakes nobody there."""
    if queue.startswith(ECHO):
        return {"properties": {"delivery_tag": "echo", "delivery_info": {}}, "headers": {}}
    headers = message["headers"]
    name = headers["task"]
    if not _is_of(queue, name):
        raise ValueError("no task of this queue")
    return _message(name, queue, instant(headers.get(SENT_AT)))


def _is_of(queue: str, name: object) -> bool:
    found = NAME.fullmatch(name) if isinstance(name, str) else None
    return found is not None and found[1] == queue and name in current_app.tasks


def _message(name: str, queue: str, sent_at: float | None) -> dict[str, Any]:
    """As Celery writes it (protocol 2): https://docs.celeryq.dev/en/stable/internals/protocol.html."""
    task_id = str(uuid4())
    empty = dict.fromkeys(("shadow", "eta", "expires", "group", "group_index", "parent_id"))
    return {
        "body": NOTHING,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            **empty,
            **{"lang": "py", "task": name, "id": task_id, "root_id": task_id, "retries": 0, "timelimit": [None, None]},
            **{"argsrepr": "()", "kwargsrepr": "{}", "ignore_result": True, SENT_AT: sent_at},
        },
        "properties": {
            **{"correlation_id": task_id, "delivery_tag": str(uuid4()), "delivery_mode": 2, "priority": 0},
            **{"body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": queue}},
        },
    }
