"""Lines over one axis, as a picture: what something cost against how much there was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log10
from pathlib import Path

from PIL import Image, ImageDraw

SIZE, EDGE, LEGEND = (1100, 460), 60, 200
INK = "#333333"
COLOURS = (
    "#1f5fa8", "#b4531f", "#2f7d4f", "#7a3f94", "#a08415", "#3b8f96", "#a33b57", "#5b6470", "#e08ac0", "#111111",
    "#8fc93a", "#f2a541",
)  # fmt: skip
MARKS = 5  # of an axis


def draw(
    path: Path, title: str, across: Sequence[float], lines: Mapping[str, Sequence[float]], *, by_size: bool = False
) -> Path:
    """Each line has a value for each of `across`; `by_size` gives ten times as much the same width everywhere."""
    picture = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(picture)
    right, bottom = SIZE[0] - EDGE - LEGEND, SIZE[1] - EDGE
    top = max(max(values) for values in lines.values()) * 1.15
    place = _sizes(across) if by_size else lambda value: value / across[-1]
    pen.line([(EDGE, EDGE), (EDGE, bottom), (right, bottom)], fill=INK)
    pen.text((EDGE, EDGE / 3), title, fill=INK)
    for mark in range(MARKS):
        share = mark / (MARKS - 1)
        pen.text((EDGE / 5, bottom - (bottom - EDGE) * share - 6), f"{top * share:,.0f}", fill=INK)
    for value in across if by_size else [across[-1] * mark / (MARKS - 1) for mark in range(MARKS)]:
        pen.text((EDGE + (right - EDGE) * place(value), bottom + 8), f"{value:,.0f}", fill=INK)
    for number, (name, values) in enumerate(lines.items()):
        points = [
            (EDGE + (right - EDGE) * place(value), bottom - (bottom - EDGE) * cost / top)
            for value, cost in zip(across, values, strict=True)
        ]
        pen.line(points, fill=COLOURS[number % len(COLOURS)], width=3)
        pen.text((right + EDGE, EDGE + 14 * number), name, fill=COLOURS[number % len(COLOURS)])
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def _sizes(across: Sequence[float]) -> Callable[[float], float]:
    first, last = log10(across[0]), log10(across[-1])
    return lambda value: (log10(value) - first) / (last - first)
