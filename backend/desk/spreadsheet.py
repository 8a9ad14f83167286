"""Files for spreadsheets: the one place that writes CSV and XLSX, so that no cell of any is run where it is opened."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from io import BytesIO

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
    return HttpResponse("".join(lines), content_type="text/csv; charset=utf-8", headers=_to_keep(name))


def xlsx_answer(name: str, sheets: Mapping[str, Iterable[Sequence[object]]]) -> HttpResponse:
    """A workbook of sheets by name, each with its head first. Numbers are numbers, and no text is a formula."""
    import xlsxwriter  # only who wants such a file pays for it

    written = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(written, options) as book:
        head = book.add_format({"bold": True})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, [_cell(value) for value in row], None if number else head)
            sheet.autofit()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(written.getvalue(), content_type=kind, headers=_to_keep(name))


def _cell(value: object) -> object:
    """Sums stay numbers with two decimals; anything else is text."""
    return float(value) if isinstance(value, Decimal) else value if isinstance(value, int) else str(value)


def _to_keep(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }


def escape_formula(text: str) -> str:
    """Text that stays text where it is opened: https://owasp.org/www-community/attacks/CSV_Injection."""
    is_run = text.startswith(_BREAKS) or text.lstrip().startswith(_RUN)
    return f"'{text}" if is_run and not _NUMBER.fullmatch(text) else text
