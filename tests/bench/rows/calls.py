"""The steps of a life cycle as CPU a call, web's and the database's, against the CPU of bare's one INSERT."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import count, islice
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from backend.bookings import links
from backend.bookings.models import Link, Purpose
from backend.payments.models import Payment
from backend.payments.sandbox.wire import HOOK_PATH, SIGNATURE_HEADER, sign
from backend.people.models import Psychologist
from tests.bench import load
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import CpuMeter
from tests.bench.rows.requests import burst, drafts
from tests.bench.run import Run
from tests.support import api, staff_api
from tests.support.clients import forwarded_for

VISITORS = 120  # a round: a processor second of each step, told in hundredths
CLIENTS = 8
REPORT = "the gateway's report"  # comes by itself, later, so that it is no part of the whole
# half and a third of what they cost before anything was made faster, by turns with what is: 13.4, 17.9 and 56.3 × bare
GOALS = {"verify": Goal(6.7, 4.5, is_cost=True), "complete": Goal(8.9, 6.0, is_cost=True)}
WHOLE = Goal(28.2, 18.8, is_cost=True)
Cost = Mapping[str, float]  # milliseconds a call, by step
_walks, _slots = count(), count(24)


def measure(run: Run) -> list[Figure]:
    """Walks of some visitors, and bare's drafts, by turns."""
    if run.service:
        run.service.only("web", "bare web", "sandbox")
    desk = Desk()
    found = run.compare({"ours": lambda: walked(run, desk), "bare": lambda: _bare(run)})
    bare = [cost["draft"] for cost in found["bare"]]
    rows = [Figure("bare's INSERT: CPU", bare, "ms")]
    for step in found["ours"][0]:
        costs = [cost[step] for cost in found["ours"]]
        rows += [
            ratio(f"{step}: CPU against bare's", costs, bare, GOALS.get(step)),
            Figure(f"{step}: CPU", costs, "ms"),
        ]
    whole = [sum(cost.values()) - cost[REPORT] for cost in found["ours"]]
    return [*rows, ratio("whole life cycle: CPU against bare's", whole, bare, WHOLE), Figure("whole: CPU", whole, "ms")]


class Desk:
    """Who approves, and psychologists who are free at any time."""

    def __init__(self) -> None:
        user = get_user_model().objects.create_superuser(f"bench{next(_walks)}")
        self.token = f"Token {staff_api.token(user)}"
        link = "https://meet.example.org/room"
        made = [Psychologist(full_name=f"Dr. {n}", email=f"dr{n}@bench.example", meeting_link=link) for n in range(8)]
        self.people = [who.pk for who in Psychologist.objects.bulk_create(made)]

    def approval(self, booking: str) -> bytes:
        """At a time that nobody else has."""
        hours, number = divmod(next(_slots), len(self.people))
        start = (timezone.now() + timedelta(days=2, hours=2 * hours)).isoformat()
        body = {"psychologist_id": self.people[number], "slot_start": start}
        return load.post(f"{staff_api.BOOKINGS}{booking}/approve/", body, authorization=self.token)


def walked(run: Run, desk: Desk) -> Cost:
    """From the draft to the paid session: what each step cost."""
    walk, steps = next(_walks), _Steps(run)
    visitors = [f"w{walk}-{n}@bench.example" for n in range(run.many(VISITORS))]
    form = api.form(timezone.now())
    steps.take("draft", [_as(who, api.DRAFT, {**form, "email": who}) for who in visitors], 201)
    verified = steps.take("verify", [_as(who, api.VERIFY, {"token": token}) for who, token in _tokens(visitors)])
    ids = [said["booking"]["acknowledgement_id"] for said in verified]
    steps.take("approve", [desk.approval(one) for one in ids])
    begun = steps.take("initiate", [_as(one, api.INITIATE, {"acknowledgement_id": one}) for one in ids])
    references = [said["payment_reference"] for said in begun]
    steps.take("complete", [_as(one, api.COMPLETE, {"payment_reference": one}) for one in references])
    steps.take(REPORT, [_report(paid) for paid in Payment.objects.filter(reference__in=references)])
    return steps.cost


class _Steps:
    def __init__(self, run: Run) -> None:
        self._run, self.cost = run, dict[str, float]()

    def take(self, name: str, asked: list[bytes], expected: int = 200) -> list[Any]:
        """The answers; what they cost each is noted."""
        meter = CpuMeter(**self._run.groups())
        found = load.send(self._run.url, iter(asked), expected, clients=self._run.many(CLIENTS))
        spent = meter.spent()
        self.cost[name] = 1000 * (spent["web"] + spent["database"]) / len(asked)
        return [json.loads(body) for body in found.bodies]


def _report(paid: Payment) -> bytes:
    """What the sandbox tells of a capture that we know already."""
    order = {"reference": paid.reference, "gateway_order_id": paid.gateway_order_id, "capture_id": paid.capture_id}
    order |= {"state": "captured", "amount_paise": paid.captured_paise, "currency": paid.captured_currency}
    event = {"event_id": f"evt_{paid.reference}", "kind": "order_captured", "report": order}
    signature = sign(json.dumps(event).encode(), settings.SANDBOX_SECRET, time.time())
    return load.post(HOOK_PATH, event, **{SIGNATURE_HEADER: signature})


def _as(who: str, path: str, body: dict[str, Any]) -> bytes:
    return load.post(path, body, **forwarded_for(who))


def _tokens(visitors: Iterable[str]) -> list[tuple[str, str]]:
    """What each finds in the mail."""
    mails = Link.objects.filter(booking__email__in=visitors, purpose=Purpose.BOOKING)
    found = dict(mails.values_list("booking__email", "message_uuid"))  # one of them: a reminder brings another
    return [(who, links.token_of(message)) for who, message in found.items()]


def _bare(run: Run) -> Cost:
    asked = islice(drafts("/draft/"), run.many(8 * VISITORS))
    found = burst(run, run.bare_url, asked, 201)
    return {"draft": found.each_ms("bare") + found.each_ms("database")}
