"""Typed readers of environment variables: each one registers itself and refuses a value that does not parse."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from difflib import get_close_matches
from email.utils import getaddresses
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NEAR = 0.84  # of difflib's ratio: catches EMAIL_PASSWORD for EMAIL_HOST_PASSWORD, leaves TEST_DATABASE_URL alone
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")
HOST = r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"


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
    least: timedelta = timedelta(0),
) -> timedelta:
    """A number with a unit: `90s`, `30m`, `48h`, `14d`."""
    value = text(name, meaning, default=default, example=example, shown_default=shown_default)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise Misconfigured(f"{name}={value!r}: expected a number with a unit s, m, h or d, such as {default}.")
    found = timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    if not (found or may_be_zero):
        raise Misconfigured(f"{name}={value!r}: expected more than nothing, such as {default}.")
    if found < least:
        raise Misconfigured(f"{name}={value!r}: expected {least.days}d or more.")
    return found


def hours_of_day(name: str, meaning: str, *, default: str) -> tuple[time, time] | None:
    """Two times of a day, `21:00-07:00`, which may span midnight; `none`."""
    value = text(name, meaning, default=default)
    match = _HOURS.fullmatch(value)
    if value == "none":
        return None
    if match is None or match[1] == match[2]:
        raise Misconfigured(f"{name}={value!r}: expected two times of a day, such as {default}, or none.")
    return time.fromisoformat(match[1]), time.fromisoformat(match[2])


def listing(
    name: str,
    meaning: str,
    *,
    default: str = "",
    example: str = "",
    shown_default: str | None = None,
    each: str = r"\S(.*\S)?",
    expected: str = "",
    is_secret: bool = False,
) -> list[str]:
    """Values separated by commas, each of the form `each`, which `expected` says in words; a secret is not quoted."""
    value = text(name, meaning, default=default, example=example, shown_default=shown_default)
    parts = [part.strip() for part in value.split(",") if part.strip()]
    for part in parts:
        if not re.fullmatch(each, part):
            raise Misconfigured(
                f"{name}: {'a value' if is_secret else repr(part)} cannot be used, expected {expected}."
            )
    return parts


def host(name: str, meaning: str, *, default: str = "", example: str = "") -> str:
    """A machine's name or address, without a port."""
    value = text(name, meaning, default=default, example=example)
    if value and not re.fullmatch(f"{HOST}|[0-9A-Fa-f:.]+", value):
        raise Misconfigured(f"{name}={value!r}: expected a host such as {example or default}, no scheme and no port.")
    return value


def url(name: str, meaning: str, *, default: str = "", example: str = "", shown_default: str | None = None) -> str:
    """An `http` address without query, which may carry a key; never quoted. Comes without a slash at its end."""
    value = text(name, meaning, default=default, example=example, shown_default=shown_default)
    if value:
        _refuse_unless_address(name, value, ("http", "https"))
    return value.rstrip("/")


def refuse_raw_password(name: str, value: str, schemes: tuple[str, ...]) -> None:
    """A server's address whose password is not percent-encoded is cut at its first `/`, `#`, `?` or `[`."""
    _refuse_unless_address(name, value, schemes, can_have_query=True)


def _refuse_unless_address(name: str, value: str, schemes: tuple[str, ...], *, can_have_query: bool = False) -> None:
    expected = f"expected an address such as {schemes[-1]}://…"
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in schemes and bool(parts.hostname or can_have_query) and parts.port != 0
    except ValueError:
        is_address = False
    rest = value.split("://", 1)[-1].partition("/")[2]
    if not is_address or "@" in rest or "#" in value or re.search(r"\s", value):
        raise Misconfigured(f"{name}: {expected}; in a password write each of / # ? @ : [ ] % as %2F %23 and so on.")
    if parts.query and not can_have_query:
        raise Misconfigured(f"{name}: {expected}, without a question mark.")


def mailbox(name: str, meaning: str, *, default: str, example: str, shown_default: str | None = None) -> str:
    """One mail address, bare."""
    value = text(name, meaning, default=default, example=example, shown_default=shown_default)
    _refuse_unless_mailbox(name, value, value, example)
    return value


def sender(name: str, meaning: str, *, default: str, example: str) -> str:
    """One mail address, which may have a name before it: `Name <name@example.org>`."""
    value = text(name, meaning, default=default, example=example)
    addresses = [address for _, address in getaddresses([value])]
    _refuse_unless_mailbox(name, value, addresses[0] if len(addresses) == 1 else "", example)
    return value


def _refuse_unless_mailbox(name: str, value: str, address: str, example: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        expected = f"expected one mail address such as {example}; several people read a group's address"
        raise Misconfigured(f"{name}={value!r}: {expected}.") from error
