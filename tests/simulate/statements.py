"""Which statements a month's bookings ran, and what each cost: the one that rises says where growth is paid.

`var/simulate/statements.txt` has the dearest of each month, from pg_stat_statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg

from tests.simulate.figures import PICTURE, Month

WRITTEN = PICTURE.with_name("statements.txt")
SHOWN, LONGEST = 40, 600
COLUMNS = re.compile(r"^SELECT .*? FROM")
READ = """
SELECT query, calls, total_exec_time, shared_blks_hit + shared_blks_read, rows
FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT %s
"""


@dataclass(frozen=True)
class Statement:
    """All its calls of a month."""

    text: str
    calls: int
    milliseconds: float
    pages: int
    rows: int

    def line(self, made: int) -> str:
        """For each booking made, and for each call."""
        each = f"{self.milliseconds / self.calls:.3f} ms, {self.pages / self.calls:.1f} pages"
        total = f"{self.milliseconds / max(made, 1):6.3f} ms a booking"
        text = COLUMNS.sub("SELECT … FROM", " ".join(self.text.split()))
        return f"{total} in {self.calls:,} calls of {each}: {text[:LONGEST]}"


class Statements:
    """Counted anew each month. Only a superuser reads them: `url` is the throwaway server's."""

    def __init__(self, url: str) -> None:
        where = f"host={unquote(urlsplit(url).netloc.rpartition('@')[2])} user=postgres dbname=postgres"
        self._connection = psycopg.connect(where, autocommit=True)
        self._connection.execute("CREATE EXTENSION pg_stat_statements")
        WRITTEN.parent.mkdir(parents=True, exist_ok=True)
        WRITTEN.write_text("")

    def note(self, month: Month) -> None:
        """Keep the month's, and begin the next."""
        with WRITTEN.open("a") as file:
            file.writelines(f"{line}\n" for line in _lines(month, self._read()))
        self.forget()

    def forget(self) -> None:
        """What was asked since, the checks of a month too."""
        self._connection.execute("SELECT pg_stat_statements_reset()")

    def _read(self) -> Sequence[Statement]:
        return [Statement(*row) for row in self._connection.execute(READ, [SHOWN])]


def _lines(month: Month, statements: Sequence[Statement]) -> Iterator[str]:
    yield f"{month.ended:%d %b %Y}, {month.bookings:,} bookings"
    yield from (f"  {statement.line(month.made)}" for statement in statements)
