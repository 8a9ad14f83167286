"""What the log leaves out. Imported while logging is set up, before there are models."""

from __future__ import annotations

import logging


class OncePerRefusal(logging.Filter):
    """Drops Django's own line about an error answer of the API, which the API logged with its code.

    A crash outside our views comes with its traceback and stays: that line is the only one about it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path_info", "")
        return bool(record.exc_info) or not path.startswith("/api")
