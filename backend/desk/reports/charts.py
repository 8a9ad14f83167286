"""Small charts as numbers for inline SVG: what is drawn where is computed here, and the templates only write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

WIDTH = 320  # units of both charts' drawing; a page scales them
ROW = 34  # of a line of text with a bar below it
COLUMN_HEIGHT = 90
FOOT = 14  # below the columns, for the days


@dataclass(frozen=True)
class Bar:
    """A horizontal bar under its label; `mark` is the part of it that is drawn differently, such as no-shows."""

    label: str
    text: str
    y: int
    length: float
    mark: float


@dataclass(frozen=True)
class Bars:
    """Bars one below the other."""

    title: str
    bars: list[Bar]
    height: int
    width: int = WIDTH


@dataclass(frozen=True)
class Column:
    """One day, with what a pointer or a screen reader tells of it."""

    x: str  # written: a template would ask for each number how people here write it
    y: str
    width: str
    height: str  # empty where there is none
    tip: str
    label: str  # of the axis; empty for most days


@dataclass(frozen=True)
class Columns:
    """Days side by side; `most` is what the tallest stands for."""

    title: str
    columns: list[Column]
    most: str
    height: int = COLUMN_HEIGHT + FOOT
    width: int = WIDTH


def bars(title: str, rows: Iterable[tuple[str, int, int, str]]) -> Bars:
    """From rows of label, value, the marked part of the value, and the text of both."""
    found = list(rows)
    most = max((value for _, value, _, _ in found), default=0) or 1
    drawn = [
        Bar(label, text, n * ROW, round(WIDTH * value / most, 1), round(WIDTH * marked / most, 1))
        for n, (label, value, marked, text) in enumerate(found)
    ]
    return Bars(title, drawn, max(len(drawn), 1) * ROW)


def columns(title: str, values: Iterable[tuple[date, int]], say: Callable[[int], str]) -> Columns:
    """A column a day."""
    found = list(values)
    most = max((value for _, value in found), default=0)
    step = WIDTH / max(len(found), 1)
    drawn = []
    for n, (day, value) in enumerate(found):
        height = round((COLUMN_HEIGHT - FOOT) * value / most, 1) if most else 0
        label = str(day.day) if day.day % 7 == 1 else ""
        tip = f"{day.day} {day:%b}: {say(value)}"
        x, y, width = f"{n * step:.1f}", f"{COLUMN_HEIGHT - height:.1f}", f"{step * 0.8:.1f}"
        drawn.append(Column(x, y, width, f"{height:.1f}" if height else "", tip, label))
    return Columns(title, drawn, say(most))
