"""Files for spreadsheets: the one place that writes CSV, so that no cell of any of them is run where it is opened."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

from django.http import HttpResponse

# what a spreadsheet takes for a formula's beginning
_RUN = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BREAKS = ("\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class _Echo:
    """A file that gives back what is written."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A line each, made when it is asked for."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([escape_formula(str(cell)) for cell in row])


def csv_answer(name: str, lines: Iterable[str]) -> HttpResponse:
    """A file to keep. It is written whole before any of it is sent: a failure midway is an error, no shorter file."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8", headers=headers)


def escape_formula(text: str) -> str:
    """Text that stays text where it is opened: https://owasp.org/www-community/attacks/CSV_Injection."""
    is_run = text.startswith(_BREAKS) or text.lstrip().startswith(_RUN)
    return f"'{text}" if is_run and not _NUMBER.fullmatch(text) else text
