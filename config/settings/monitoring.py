"""Who watches this deployment from outside."""

from __future__ import annotations

from backend.core import environment as env

SENTRY_DSN = env.url(
    "SENTRY_DSN",
    "where errors are reported, without whom they met; empty: nowhere",
    example="https://key@sentry.example.org/1",
)
PING_URL = env.url(
    "PING_URL",
    "a watchdog that is told of each timer's runs at `PING_URL/lapse_drafts`, healthchecks' way; empty: none",
    example="https://hc-ping.com/key",
)
FLOWER_BASIC_AUTH = env.listing(
    "FLOWER_BASIC_AUTH",
    "who may look into Celery with the process type `flower`, `name:password`",
    example="ops:secret",
    each=r"[^:\s]+:\S+",
    expected="a name and a password such as ops:secret",
    is_secret=True,
)
FLOWER_ADDRESS = env.host("FLOWER_ADDRESS", "the address on which `flower` listens", default="127.0.0.1")
FLOWER_PORT = env.integer("FLOWER_PORT", "and its port", default=5555, minimum=1)
PING_EVERY = env.duration("PING_EVERY", "the watchdog hears of a timer's good runs at most this often", default="60s")
