"""A kept connection to PostgreSQL that knows whether it is still good, mostly without a question to the server.

A server or pooler that ends a connection says so on it, so silence on one that answered lately is as good as an answer.
"""

from __future__ import annotations

import select
from time import monotonic
from typing import Any

from psycopg import Connection, Cursor

TRUSTED_FOR = 5.0  # seconds after an answer; a network that lost the connection meanwhile says nothing


class PooledConnection(Connection[Any]):
    """The `connection_class` of the pool, which asks `execute("")` of each connection before it hands it out."""

    _answered_at = -TRUSTED_FOR

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Cursor[Any]:
        """As ever; the pool's empty question is sent only where the answer is not known."""
        is_question = query == ""
        if is_question and monotonic() - self._answered_at < TRUSTED_FOR and not _has_news(self):
            return self.cursor()
        answer = super().execute(query, *args, **kwargs)
        if is_question:
            self._answered_at = monotonic()
        return answer


def _has_news(connection: Connection[Any]) -> bool:
    """`poll`, as `select` takes no file above 1,023, and a web process has one for each client."""
    news = select.poll()
    news.register(connection.fileno(), select.POLLIN)
    return bool(news.poll(0))
