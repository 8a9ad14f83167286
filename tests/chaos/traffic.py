"""Visitors and staff in the storm: they read mail at the provider, press again when nothing answers, give up late."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import requests

from tests.chaos.bank import Pages, Sandbox
from tests.chaos.journal import UNREACHED, Journal, Request
from tests.chaos.stack import Stack
from tests.demo.site import form
from tests.support.clients import forwarded_for

CROWD = 8  # visitors at once
PATIENCE = 25.0  # seconds, at full pace, a person waits for an answer or a mail
AGAIN_AFTER = 0.5  # seconds
End = Callable[[], None]
TOKEN = re.compile(r"token=([\w-]+)")


class GaveUp(Exception):
    """Nothing came within a person's patience."""


class Caller:
    """Someone with a browser; every attempt is entered in the journal."""

    def __init__(self, url: str, journal: Journal, **headers: str) -> None:
        self._url, self._journal = url, journal
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        """The answer that is no failure of ours. Raises GaveUp."""
        return self._until_answered("POST", path, json=body)

    def get(self, path: str, **query: str) -> requests.Response:
        return self._until_answered("GET", path, params=query)

    def once(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """One attempt; None when nothing answered."""
        sent, clock = time.time(), time.monotonic()
        try:
            answer = self._session.request(method, self._url + path, timeout=20, allow_redirects=False, **options)
        except requests.RequestException:
            answer = None
        status = UNREACHED if answer is None else answer.status_code
        door = re.sub(r"MS-\w+", "…", path)
        self._journal.request(Request(sent, f"{method} {door}", status, time.monotonic() - clock))
        return answer

    def _until_answered(self, method: str, path: str, **options: Any) -> requests.Response:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.once(method, path, **options)
            if answer is not None and answer.status_code < 500:
                return answer
            time.sleep(AGAIN_AFTER)
        raise GaveUp(path)


@dataclass(frozen=True)
class World:
    """What the people in the storm know."""

    stack: Stack
    journal: Journal
    staff_token: str
    psychologists: list[int]
    bank: Sandbox | Pages
    prefix: str = "v"

    def visitor(self, who: str) -> Caller:
        return Caller(self.stack.url, self.journal, **forwarded_for(who))

    def staff(self) -> Caller:
        return Caller(self.stack.url, self.journal, Authorization=f"Token {self.staff_token}")


class Visit:
    """One visitor from the draft on; what they do is drawn from the seed and their number."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number = world, number
        self._chosen = random.Random(f"{world.stack.seed}:{number}")
        self.address = f"{world.prefix}{number}@example.org"
        self._visitor, self._staff = world.visitor(self.address), world.staff()
        self._id = ""

    def _ends(self) -> list[tuple[End, int]]:
        """How it can end, and how often in relation to the others."""
        return [
            (self._stays_silent, 12),
            (self._is_rejected, 6),
            (self._waits_in_vain, 4),
            (self._never_pays, 8),
            (self._pays, 34),
            (self._pays_at_the_bank, 12),
            (self._pays_late, 8),
            (self._fails_then_pays, 6),
            (self._cancels_unpaid, 5),
            (self._cancels_paid, 5),
            *([(self._moves, 30), (self._cancels_paid, 15)] if self._world.stack.has_rooms else []),
        ]

    def walk(self) -> None:
        """From the form to wherever it leads."""
        ends = self._ends()
        end = self._chosen.choices([end for end, _ in ends], [weight for _, weight in ends])[0]
        try:
            self.submit()
            end()
        except GaveUp:
            return  # what is left is for the deadlines

    # -- how it can end -----------------------------------------------------------------------------------------------

    def _stays_silent(self) -> None:
        """The draft lapses."""

    def _is_rejected(self) -> None:
        self._verify()
        self._staff.post(self._desk("reject"), {"note_to_visitor": "We cannot offer this."})

    def _waits_in_vain(self) -> None:
        self._verify()

    def _never_pays(self) -> None:
        self._approved()

    def _pays(self) -> None:
        self._approved()
        self._visitor.post("/api/bookings/complete-payment/", {"payment_reference": self._payment()})

    def _pays_at_the_bank(self) -> None:
        self._approved()
        self._world.bank.captures(self._payment())

    def _pays_late(self) -> None:
        self._approved()
        reference = self._payment()
        time.sleep(
            self._chosen.uniform(12, 45)
        )  # the attempt has ended; perhaps the booking too, perhaps its slot is gone
        self._world.bank.captures(reference)

    def _fails_then_pays(self) -> None:
        self._approved()
        reference = self._payment()
        self._world.bank.declines(reference)
        self._visitor.post("/api/bookings/complete-payment/", {"payment_reference": reference})
        self._visitor.post("/api/bookings/complete-payment/", {"payment_reference": self._payment()})

    def _cancels_unpaid(self) -> None:
        self._approved()
        self._cancel()

    def _cancels_paid(self) -> None:
        self._pays()
        self._cancel()

    def _moves(self) -> None:
        """Once or twice; now and then it is called off after that."""
        self._pays()
        for _ in range(self._chosen.choice([1, 2])):
            self._staff.post(self._desk("reschedule"), {"slot_start": self._slot(apart=True).isoformat()})
        if self._chosen.random() < 0.3:
            self._cancel()

    # -- steps --------------------------------------------------------------------------------------------------------

    def submit(self) -> None:
        answer = self._visitor.post("/api/bookings/draft/", form(self.address, "Asha Rao"))
        if answer.status_code != 201:
            raise GaveUp("draft")
        self._world.journal.promise(self.address)

    def _verify(self) -> None:
        token = self._token_from("verify")
        answer = self._visitor.post("/api/bookings/verify-email/", {"token": token})
        if answer.status_code != 200:
            raise GaveUp("verify")
        self._id = answer.json()["booking"]["acknowledgement_id"]

    def _approved(self) -> None:
        """Verified, and given a slot by staff: now and then one that somebody else may be given too."""
        self._verify()
        body = {
            "psychologist_id": self._chosen.choice(self._world.psychologists),
            "slot_start": self._slot().isoformat(),
        }
        answer = self._staff.post(self._desk("approve"), body)
        if answer.status_code == 409:  # taken: another one
            self._staff.post(self._desk("approve"), body | {"slot_start": self._slot(apart=True).isoformat()})

    def _slot(self, *, apart: bool = False) -> datetime:
        now = datetime.now(UTC)
        if not apart and self._chosen.random() < 0.2:
            return now + timedelta(
                seconds=self._chosen.uniform(25, 40) * self._world.stack.pace
            )  # a session that is held within the storm
        if not apart and self._chosen.random() < 0.2:
            return (now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        return now + timedelta(days=self._chosen.uniform(2, 300))

    def _payment(self) -> str:
        answer = self._visitor.post("/api/bookings/initiate-payment/", {"acknowledgement_id": self._id})
        if answer.status_code != 200:
            raise GaveUp("payment")
        return str(answer.json()["payment_reference"])

    def _cancel(self) -> None:
        self._visitor.post("/api/bookings/request-cancellation/", {"acknowledgement_id": self._id})
        token = self._token_from("cancel")
        self._visitor.post("/api/bookings/verify-cancellation/", {"token": token})

    def _desk(self, action: str) -> str:
        return f"/api/staff/bookings/{self._id}/{action}/"

    def _token_from(self, word: str) -> str:
        """Of the newest mail whose link leads to a path with `word` in it. Raises GaveUp."""
        deadline = time.monotonic() + PATIENCE * self._world.stack.pace
        while time.monotonic() < deadline:
            for mail in reversed(self._world.stack.mails_to(self.address)):
                for link in re.findall(r"https?://\S+", mail["text"]):
                    if word in link.partition("?")[0] and (found := TOKEN.search(link)):
                        return found[1]
            time.sleep(0.3)
        raise GaveUp(word)


class Traffic:
    """Visitors come one after another, some at once, until they are told to stop coming. `crowd` is of each kind."""

    def __init__(self, world: World, crowd: Mapping[type[Visit], int] | None = None) -> None:
        self._world = world
        self._numbers = count(1)
        self._is_over = threading.Event()
        kinds = [kind for kind, at_once in (crowd or {Visit: CROWD}).items() for _ in range(at_once)]
        self._threads = ThreadPoolExecutor(len(kinds))
        self._lanes = [self._threads.submit(self._lane, kind) for kind in kinds]

    def stop(self) -> None:
        """Nobody new comes; those who are there walk to their end."""
        self._is_over.set()
        for lane in self._lanes:
            lane.result()
        self._threads.shutdown()

    def _lane(self, kind: type[Visit]) -> None:
        while not self._is_over.is_set():
            kind(self._world, next(self._numbers)).walk()
