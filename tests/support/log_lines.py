"""The log as production writes it, kept in a list."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from backend.core import logs

OURS = ("backend", "workers", "config")


class Lines(logging.Handler):
    """Every record: as it was said, with its error and everything a caller hung on it, and as it is written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        self.written: list[str] = []
        self.setFormatter(logs.formatter(as_json=True))
        self.addFilter(logs.ErrorOfTask())
        self.addFilter(lambda record: record.name != "mail.log")  # the SMTP server that tests send to

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        self.written.append(self.format(record))

    def parsed(self) -> list[dict[str, str]]:
        """The lines written, each as the object it is."""
        return [json.loads(line) for line in self.written]

    def events(self) -> list[str]:
        """What the lines say."""
        return [line["event"] for line in self.parsed()]


@contextmanager
def collected(*, level: int = logging.INFO) -> Iterator[Lines]:
    """The lines of the block; `level` is that of our own loggers, the others keep theirs."""
    lines, root = Lines(), logging.getLogger()
    before = {name: logging.getLogger(name).level for name in OURS}
    root.addHandler(lines)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    try:
        yield lines
    finally:
        root.removeHandler(lines)
        for name, was in before.items():
            logging.getLogger(name).setLevel(was)
