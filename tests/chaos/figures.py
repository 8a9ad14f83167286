"""A figure of the verdict, and the table that shows two variants side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """What was counted or measured; `limit` says what it must be, and is empty where it is only shown."""

    name: str
    value: str
    limit: str = ""
    holds: bool = True
    evidence: tuple[str, ...] = ()  # what to look at when it is missed


def none_of(name: str, found: Sequence[str]) -> Figure:
    """It must not have happened at all."""
    return Figure(name, str(len(found)), "0", not found, tuple(found[:10]))


def at_most(name: str, value: float, limit: float, unit: str = "") -> Figure:
    suffix = f" {unit}" if unit else ""
    return Figure(name, f"{value:g}{suffix}", f"≤ {limit:g}{suffix}", value <= limit)


def exactly(name: str, value: int, wanted: int) -> Figure:
    return Figure(name, str(value), str(wanted), value == wanted)


def spread(name: str, values: Sequence[float], unit: str = "s") -> Figure:
    """p50, p99 and max, for the reader."""
    if not values:
        return Figure(name, "none")
    ordered = sorted(values)
    p50, p99 = median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Figure(name, f"{p50:.1f} / {p99:.1f} / {ordered[-1]:.1f} {unit} ({len(ordered)})")


def percentile(values: Sequence[float], share: float) -> float:
    """0 for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def table(ours: Sequence[Figure], naive: Sequence[Figure]) -> str:
    """One line a figure; a missed one is marked."""
    beside = {figure.name: figure.value for figure in naive}
    rows = [("figure", "must be", "ours", "naive", "")]
    rows += [(f.name, f.limit, f.value, beside.get(f.name, ""), "" if f.holds else "MISSED") for f in ours]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths[:4]))
    for figure in ours:
        if not figure.holds:
            lines += ["", f"{figure.name}:", *(f"  {line}" for line in figure.evidence)]
    return "\n".join(lines)
