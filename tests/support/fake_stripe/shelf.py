"""Where the fake keeps Stripe's objects, and how it shows them: page by page, with what was asked for in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from typing import Any

from tests.support.fake_gateway.errors import ErrorAnswer

Thing = dict[str, Any]  # one of Stripe's objects; names that begin with _ are the fake's own


class Refusal(ErrorAnswer):
    """What Stripe answers to an ask that it refuses. https://docs.stripe.com/api/errors"""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **said: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **said}}


@dataclass
class Shelf:
    """The objects of one kind, oldest first; `url` is where they are listed."""

    url: str = ""
    things: dict[str, Thing] = field(default_factory=dict)

    def keep(self, thing: Thing) -> Thing:
        self.things[thing["id"]] = thing
        return thing

    def get(self, id_: str) -> Thing:
        try:
            return self.things[id_]
        except KeyError as error:
            raise Refusal(404, f"No such object: '{id_}'", code="resource_missing", param="id") from error

    def page(self, is_wanted: Callable[[Thing], bool], limit: int, after: str) -> Thing:
        """Newest first, from behind the cursor on. A storm has thousands, so no more is looked at than is asked for."""
        newest_first: Iterator[Thing] = reversed(self.things.values())
        if after:
            self.get(after)
            newest_first = dropwhile(lambda thing: thing["id"] != after, newest_first)
            next(newest_first)
        found = list(islice(filter(is_wanted, newest_first), limit + 1))
        return {"object": "list", "url": self.url, "data": found[:limit], "has_more": len(found) > limit}


def shown(thing: Thing) -> Thing:
    """A copy without what the fake keeps to itself."""
    return {name: _copy(value) for name, value in thing.items() if not name.startswith("_")}


def _copy(value: Any) -> Any:
    """As `copy.deepcopy`, which takes ten times as long."""
    if isinstance(value, dict):
        return shown(value)
    return [_copy(each) for each in value] if isinstance(value, list) else value


def expand(thing: Thing, path: list[str], find: Callable[[str], Thing]) -> None:
    """Put the object in place of its id. https://docs.stripe.com/api/expanding_objects"""
    name, *rest = path
    value = thing.get(name)
    if isinstance(value, list):
        for each in value:
            expand(each, rest, find)
        return
    if name not in ("payment_intent", "latest_charge", "balance_transaction", "source", "charge"):
        raise Refusal(400, f"This property cannot be expanded ({name}).")
    if isinstance(value, str):
        value = thing[name] = shown(find(value))
    if rest and value is not None:
        expand(value, rest, find)
