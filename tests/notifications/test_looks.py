"""A mail's colours can be read, on a light screen and on a dark one."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.support.server import ROOT

BASE = (ROOT / "backend" / "notifications" / "templates" / "mail" / "_base.html").read_text()
LIGHT, _, DARK = BASE.partition("@media (prefers-color-scheme: dark)")
LEAST = 4.5  # WCAG 2.2, AA, of text
ON = [
    ("h1", ".content"),
    ("a", ".content"),
    (".brand", ".page"),
    (".support", ".page"),
    (".action-link", ".action-cell"),
]


def colour(styles: str, selector: str, name: str) -> str:
    """What the rules say of it, in which a selector may stand beside others."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", styles)
    said = [body for names, body in rules if selector in {one.strip() for one in names.split(",")}]
    found = [value for body in said for value in re.findall(rf"(?<![\w-]){name}: (#\w{{6}})", body)]
    return found[-1]


def luminance(hexed: str) -> float:
    """Of WCAG: how bright the eye takes it."""
    parts = [int(hexed[at : at + 2], 16) / 255 for at, _ in pairwise((1, 3, 5, 7))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("styles", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), ON)
def test_text_stands_out_from_what_it_is_written_on(styles: str, ink: str, paper: str) -> None:
    one, other = sorted(
        (luminance(colour(styles, ink, "color")), luminance(colour(styles, paper, "background-color"))), reverse=True
    )
    assert (one + 0.05) / (other + 0.05) >= LEAST


def test_a_mail_says_that_it_knows_both() -> None:
    assert '<meta name="color-scheme" content="light dark">' in BASE
