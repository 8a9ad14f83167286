"""Log lines: JSON in production, readable ones in development, where an error keeps to itself whom it speaks of.

In production a traceback names files, lines and kinds of errors. What an error says is told only where its words are
known to be ours or a server's: a database's complaint about a value quotes the value, and so does `int("Asha")`.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError

from backend.core import database_timeouts, environment
from backend.core.structured import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

ExcInfo = tuple[type[BaseException], BaseException, Any]

_OURS = ("backend.core.errors", "backend.core.environment")
_OF_THE_BROKER = ("billiard.exceptions", "celery.exceptions", "kombu.exceptions", "redis.exceptions")
# The last line of defence, for a call that logs what it should not: the tests look at what comes before it, too.
# A worker's own name, `mail@host.example.org`, is no address.
_ADDRESS = re.compile(r"\b(?!(?:mail|payments|calls|timers|beat)@)[\w.+-]+(?:@|%40)[\w-]+\.[\w.-]*\w")
_TOKEN = re.compile(r"\btoken(=|%3D)[^\s&'\"]+", re.IGNORECASE)


def formatter(*, as_json: bool) -> logging.Formatter:
    """For `LOGGING`: every line says when (UTC), how bad, who, and which piece of work it belongs to."""
    about: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
    ]
    ends: list[Processor] = (
        [_error_without_words, _caught_by_the_net, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [_readable]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=about, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends]
    )


def formatter_of_granian() -> logging.Formatter:
    """For `config/granian.json`, which knows no settings: the server's own lines about its processes."""
    return formatter(as_json=not environment.flag("DEBUG", "see the settings"))


class ErrorOfTask(logging.Filter):
    """Celery's line about a task that crashed quotes the error; its kind is enough, the traceback tells the rest."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping) and "exc" in record.args and record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            record.args = {**record.args, "exc": describe_error(error)}
            if isinstance(error, (OperationalError, InterfaceError)) and not database_timeouts.is_timeout(error):
                record.exc_info = None  # the database is away, as several tasks a second find out: a line is enough
        return True


def describe_error(error: BaseException) -> str:
    """The kind of an error, and its words if they cannot quote a person; of a database only the first line."""
    words = safe_error_text(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def safe_error_text(error: BaseException) -> str:
    """What an error says, if its words are known to be ours or a server's; else nothing."""
    if type(error).__module__ in (*_OURS, *_OF_THE_BROKER):
        return str(error)
    if isinstance(error, (OperationalError, InterfaceError)):
        return str(error).partition("\n")[0]
    return ""


def safe_traceback(error: BaseException) -> str:
    """The traceback of an error and of those that led to it, oldest first, without words and without variables."""
    parts = []
    for each in reversed(list(chain(error))):
        parts.append("".join(traceback.format_tb(each.__traceback__)) + describe_error(each))
    return "\n\n".join(parts)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what led to it, and so on."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _error_without_words(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    info: ExcInfo | None = line.pop("exc_info", None)
    if info and info[1] is not None:
        line["error"] = describe_error(info[1])
        line["traceback"] = safe_traceback(info[1])
    line.pop("stack_info", None)
    return line


def _caught_by_the_net(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    for name in ("event", "error", "traceback"):
        if name in line:
            line[name] = without_secrets(str(line[name]))
    return line


def without_secrets(text: str) -> str:
    """The text without mail addresses and tokens."""
    return _TOKEN.sub(r"token\1[token]", _ADDRESS.sub("[address]", text))


def _readable(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    at, level = str(line["timestamp"]).replace("T", " ")[:23], str(line["level"]).upper()
    text = f"{at}Z {level} {line['logger']} [{line.get('correlation_id') or '-'}] {line['event']}"
    info: ExcInfo | None = line.get("exc_info")
    return f"{text}\n{''.join(traceback.format_exception(*info)).rstrip()}" if info and info[1] is not None else text
