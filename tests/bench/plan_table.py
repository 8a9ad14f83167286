"""The table of plans: each statement in a few words, what found its rows, and what that cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tests.bench.plans import Plan

WORDS = 150  # characters of a statement
_FORM = (  # what a statement is told by: without its columns, values and quotes
    (re.compile(r'"'), ""),
    (re.compile(r"'(?:[^']|'')*'(?:::\w+)?"), "?"),
    (re.compile(r"\s+"), " "),
    (re.compile(r"^(INSERT INTO \S+) .*"), r"\1 …"),
    (re.compile(r" SET .*? WHERE "), " SET … WHERE "),
    (re.compile(r"(?<![\w.])\d+(?![\w.])"), "?"),
    (re.compile(r"(?:\?, )+\?"), "?, …"),
    (re.compile(r"\b(?!pg_)[a-z]+_\w+\.(?=\w)"), ""),
)
_SHOWN = re.compile(r"(COUNT|SUM|MIN|MAX|pg_)\b")


def short(sql: str) -> str:
    """The same for statements that differ by their values alone."""
    for found, instead in _FORM:
        sql = found.sub(instead, sql.strip())
    sql = _without_columns(sql)
    return sql if len(sql) <= WORDS else sql[: WORDS - 1] + "…"


def _without_columns(sql: str) -> str:
    """A SELECT from its own FROM on: those of queries among its columns stand in parentheses."""
    begin = "SELECT "
    if not sql.startswith(begin) or _SHOWN.match(sql, len(begin)):
        return sql
    depth = 0
    for place, sign in enumerate(sql):
        depth += (sign == "(") - (sign == ")")
        if not depth and sql.startswith(" FROM ", place):
            return f"{begin}…{sql[place:]}"
    return sql


def table(plans: Sequence[Plan]) -> str:
    """In Markdown: a line for each form of a statement, its dearest plan, and the first work that asks it."""
    rows = ["| Work | Statement | Rows found by | Buffers | ms |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *(_line(alike) for alike in _by_form(plans))])


def _by_form(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    forms: dict[str, list[Plan]] = {}
    for plan in plans:
        forms.setdefault(short(plan.sql), []).append(plan)
    yield from forms.values()


def _line(alike: Sequence[Plan]) -> str:
    dearest = max(alike, key=lambda plan: plan.buffers)
    works = list(dict.fromkeys(plan.work for plan in alike))
    more = f" and {len(works) - 1} more" if works[1:] else ""
    statement = short(dearest.sql).replace("|", "\\|").replace("`", "")
    return f"| {works[0]}{more} | `{statement}` | {_finder(dearest)} | {dearest.buffers:,} | {dearest.ms:.2f} |"


def _finder(plan: Plan) -> str:
    found = [f"`{name}`" for name in plan.indexes] + [f"all of `{name}`" for name in plan.read_whole]
    return ", ".join(found) or "–"
