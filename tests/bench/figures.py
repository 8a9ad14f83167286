"""A figure of the table: what each round gave, the goal it has, and whether the rounds' median keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Goal:
    """The floor, which a run fails below, and what we aim at. Of a cost both are the most it may be."""

    floor: float
    aim: float
    is_cost: bool = False

    def holds(self, value: float) -> bool:
        return value <= self.floor if self.is_cost else value >= self.floor

    def __str__(self) -> str:
        return f"{'≤' if self.is_cost else '≥'} {self.floor:g} → {self.aim:g}"


@dataclass(frozen=True)
class Figure:
    """A value a round. Without a goal it is only shown."""

    name: str
    values: Sequence[float]
    unit: str = ""
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def holds(self) -> bool:
        return self.goal is None or self.goal.holds(self.median)

    @property
    def value(self) -> str:
        """The median, and the range if there is one."""
        low, high = min(self.values), max(self.values)
        spread = "" if low == high else f" [{_short(low)}–{_short(high)}]"
        return f"{_short(self.median)}{spread} {self.unit}".strip()


def _short(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(name: str, ours: Sequence[float], reference: Sequence[float], goal: Goal | None = None) -> Figure:
    """Of each round to the same round's reference."""
    return Figure(name, [one / other for one, other in zip(ours, reference, strict=True)], "×", goal)


def table(figures: Sequence[Figure]) -> str:
    """In Markdown; a missed goal is marked."""
    rows = ["| Figure | Median [range] | Goal: floor → aim | |", "|---|---|---|---|"]
    rows += [f"| {one.name} | {one.value} | {one.goal or ''} | {'' if one.holds else 'missed'} |" for one in figures]
    return "\n".join(rows)
