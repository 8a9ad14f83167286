"""The control door, `/_control/…`: what visitors, banks and networks do when a test or a storm says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.fake_gateway.books import Outbox
from tests.support.fake_gateway.delivery import instruct
from tests.support.fake_gateway.errors import Senseless

if TYPE_CHECKING:
    from tests.support.fake_gateway.server import FakeServer

Body = dict[str, Any]


def control(fake: FakeServer, action: str, body: Body) -> Body:
    """Do it, and say what came of it. Every body may be empty.

    finish_refunds. trouble: `kind`, `path`, `times`. webhooks: `url`, `copies`, `shuffled`, `held_back`, `silent`,
    `secret`. ahead: `seconds`. journal. books. Each gateway adds what its banks do; `silent` in any of it: no event
    tells of it.
    """
    match action:
        case "finish_refunds":
            fake.books.finish_refunds()
        case "trouble":
            fake.troubles.owe(body["kind"], path=body.get("path", ""), times=body.get("times", 1))
        case "webhooks":
            instruct(fake.manner, fake.books.outbox, body)
        case "ahead":
            fake.books.ahead += float(body["seconds"])
            fake.books.advance()
        case "journal":
            return {"sent": list(fake.sent)}
        case "books":
            return _everything(fake)
        case _:
            return _own(fake, action, body)
    return {}


def _own(fake: FakeServer, action: str, body: Body) -> Body:
    with fake.books.lock, _untold(fake.books.outbox, is_silent=bool(body.get("silent"))):
        found = fake.act(action, body)
    if found is None:
        raise Senseless(f"no such action: {action}")
    return found


@contextmanager
def _untold(outbox: Outbox, *, is_silent: bool) -> Iterator[None]:
    """Under the lock of the books, so that it silences nothing else."""
    before = outbox.is_silent
    outbox.is_silent = before or is_silent
    try:
        yield
    finally:
        outbox.is_silent = before


def _everything(fake: FakeServer) -> Body:
    """What a storm compares with our own books. `taken` and `undelivered` are of events, `took` in seconds."""
    with fake.books.lock:
        webhooks = list(fake.books.outbox.webhooks)
        return {
            **fake.books.everything(),
            "doubles": list(fake.books.doubles),
            "took": list(fake.delivery.took),
            "taken": [webhook.event_id for webhook in webhooks if webhook.tries and webhook.next_at is None],
            "undelivered": sum(webhook.next_at is not None for webhook in webhooks),
        }
