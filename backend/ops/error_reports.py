"""Error reports to Sentry, where SENTRY_DSN is set: what broke and where, never with whom.

Built from the log alone: no request, no user, no cookie is ever at hand. And of each report only what is listed here
leaves, so that a later version of the library that gathers more sends no more.
"""

from __future__ import annotations

import logging
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from backend.core import logs
from backend.core.structured import structlog

Report = dict[str, Any]

KEPT = ("event_id", "timestamp", "platform", "level", "logger", "server_name", "release", "environment", "sdk")
KEPT_OF_FRAME = ("filename", "function", "module", "lineno", "context_line", "pre_context", "post_context", "in_app")
TAGS = ("correlation_id", "task", "kind", "message")


def init_sentry(dsn: str, *, server_name: str, transport: Transport | None = None) -> None:
    """Send every ERROR of the log from now on. `send_default_pii` is off by default, and naming it is deprecated."""
    sentry_sdk.init(
        dsn=dsn,
        server_name=server_name,
        transport=transport,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            AtexitIntegration(callback=lambda _pending, _timeout: None),
            DedupeIntegration(),
        ],
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=None,
        send_client_reports=False,
        before_send=_bare,  # type: ignore[arg-type] # its types demand theirs, which are dicts
    )


def _bare(event: Report, hint: Report) -> Report:
    """The report without anything that is not listed. Its words are those of the log's template, not what filled it."""
    report = {name: event[name] for name in KEPT if name in event}
    context = structlog.contextvars.get_contextvars()
    report["tags"] = {name: str(context[name]) for name in TAGS if name in context}
    template = (event.get("logentry") or {}).get("message", "")
    report["logentry"] = {"message": logs.without_secrets(str(template))}
    if hint.get("exc_info"):
        words = {type(error).__name__: logs.safe_error_text(error) for error in logs.chain(hint["exc_info"][1])}
        found = (event.get("exception") or {}).get("values", [])
        report["exception"] = {"values": [_bare_error(error, words) for error in found]}
    return report


def _bare_error(error: Report, words: dict[str, str]) -> Report:
    kind = str(error.get("type"))
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        "type": kind,
        "module": error.get("module"),
        "value": logs.without_secrets(words.get(kind, "")),
        "stacktrace": {"frames": [{name: frame.get(name) for name in KEPT_OF_FRAME} for frame in frames]},
    }
