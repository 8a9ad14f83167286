"""Where the fake keeps Stripe's objects, and how it shows them: page by page, with what was asked for in full."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Thing = dict[str, Any]  # one of Stripe's objects; names that begin with _ are the fake's own


class Refusal(Exception):
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
        """Newest first, from behind the cursor on."""
        found = list(reversed(self.things.values()))
        if after:
            self.get(after)
            found = found[[thing["id"] for thing in found].index(after) + 1 :]
        found = [thing for thing in found if is_wanted(thing)]
        data = [shown(thing) for thing in found[:limit]]
        return {"object": "list", "url": self.url, "data": data, "has_more": len(found) > limit}


def shown(thing: Thing) -> Thing:
    """A copy without what the fake keeps to itself."""
    return copy.deepcopy({name: value for name, value in thing.items() if not name.startswith("_")})


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
