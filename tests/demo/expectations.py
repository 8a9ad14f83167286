"""The one error of a step: what was expected, and what came instead."""

from __future__ import annotations


class Unexpected(Exception):
    """Something else came than was expected; both are phrases that fit the sentence below."""

    def __init__(self, expected: str, came: str) -> None:
        super().__init__(f"expected {expected}; {came}")
        self.expected = expected
        self.came = came


def expect(what: str, *, expected: object, came: object) -> None:
    """Raises Unexpected unless the two are equal."""
    if came != expected:
        raise Unexpected(f"{what} {_shown(expected)}", f"came {_shown(came)}")


def _shown(value: object) -> str:
    return " → ".join(map(str, value)) if isinstance(value, list) else str(value)
