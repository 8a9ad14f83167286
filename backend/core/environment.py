"""Typed readers of environment variables: each one registers itself and refuses a value that does not parse."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NEAR = 0.84  # of difflib's ratio: catches EMAIL_PASSWORD for EMAIL_HOST_PASSWORD, leaves TEST_DATABASE_URL alone
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Misconfigured(Exception):
    """A variable's value cannot be used; the message names the variable and says what it takes."""


@dataclass(frozen=True)
class Variable:
    """What the README's table says of one variable."""

    name: str
    meaning: str
    default: str
    example: str


VARIABLES: dict[str, Variable] = {}


def text(name: str, meaning: str, *, default: str = "", example: str = "", shown_default: str | None = None) -> str:
    """Any text. `shown_default` describes a default that is computed."""
    shown = default if shown_default is None else shown_default
    VARIABLES[name] = Variable(name, meaning, shown, example or shown)
    return os.environ.get(name, "").strip() or default


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Those that are none of ours but nearly so, each with the one that was meant.

    For use once all models are loaded: a variable registers itself when the module that reads it is.
    """
    unknown = [name for name in names if name not in VARIABLES]
    near = {name: get_close_matches(name.upper(), VARIABLES, n=1, cutoff=_NEAR) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


def refuse_misspelt(names: Iterable[str], file: str) -> None:
    """A misspelt name in our own file would silently leave its variable at the default."""
    for name, meant in misspelt(names).items():
        raise Misconfigured(f"{name} in {file} is not a variable of ours; {meant} is.")


def flag(name: str, meaning: str, *, default: bool = False) -> bool:
    """`1/true/yes/on` or `0/false/no/off`."""
    value = text(name, meaning, default="1" if default else "0", example="1").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise Misconfigured(f"{name}={value!r}: expected 1 or 0 (true/false, yes/no, on/off).")


def choice(name: str, meaning: str, options: tuple[str, ...], *, default: str, shown_default: str | None = None) -> str:
    """One of `options`."""
    value = text(
        name,
        f"{meaning}: {', '.join(o or 'empty' for o in options)}",
        default=default,
        example=options[-1],
        shown_default=shown_default,
    )
    if value not in options:
        raise Misconfigured(f"{name}={value!r}: expected one of {', '.join(o or '(empty)' for o in options)}.")
    return value


def integer(name: str, meaning: str, *, default: int, minimum: int = 0) -> int:
    """A whole number, at least `minimum`."""
    value = text(name, meaning, default=str(default))
    if not re.fullmatch(r"\d{1,12}", value) or int(value) < minimum:
        raise Misconfigured(f"{name}={value!r}: expected a whole number of at least {minimum}.")
    return int(value)


def duration(
    name: str,
    meaning: str,
    *,
    default: str,
    example: str = "",
    shown_default: str | None = None,
    may_be_zero: bool = True,
) -> timedelta:
    """A number with a unit: `90s`, `30m`, `48h`, `14d`."""
    value = text(name, meaning, default=default, example=example, shown_default=shown_default)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise Misconfigured(f"{name}={value!r}: expected a number with a unit s, m, h or d, such as {default}.")
    found = timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    if not (found or may_be_zero):
        raise Misconfigured(f"{name}={value!r}: expected more than nothing, such as {default}.")
    return found


def listing(
    name: str, meaning: str, *, default: str = "", example: str = "", shown_default: str | None = None
) -> list[str]:
    """Values separated by commas."""
    return [
        part.strip()
        for part in text(name, meaning, default=default, example=example, shown_default=shown_default).split(",")
        if part.strip()
    ]
