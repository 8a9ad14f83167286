"""One journey on its way: its steps told line by line, its mail read in order, and what it must not find."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from tests.demo.bank import Bank
from tests.demo.commands import Commands
from tests.demo.expectations import Unexpected
from tests.demo.mailbox import Inbox, Mail, Mailbox
from tests.demo.pages import Pages
from tests.demo.site import Site
from tests.demo.staff import Staff

Found = TypeVar("Found")

STACK = "stack"  # speaks until the very end
PAUSE = 0.2  # seconds between two looks
MAIL_WITHIN = 30.0  # seconds; beat wakes the mail worker at once, the rest is for a busy machine


class StepFailed(Exception):
    """A step that went wrong; the line that says so is out already."""


class Narrator:
    """Writes one aligned line per step; journeys speak at the same time, each under its own name."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._is_over = False

    def tell(self, who: str, text: str, took: float | None = None) -> None:
        """`took`, in seconds, is the step's own time; the line begins with the time since the start."""
        duration = "" if took is None else f"+{took:.1f} s"
        with self._lock:
            if who == STACK or not self._is_over:
                sys.stdout.write(f"{self.elapsed():6.1f} s {duration:>8}  {who:<10} {text}\n")
                sys.stdout.flush()

    def mute_journeys(self) -> None:
        """The demo is over: what a journey still meets while the stack stops means nothing."""
        with self._lock:
            self._is_over = True

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begun


class Step:
    """A step under way; `note` is added to its line."""

    def __init__(self) -> None:
        self.note = ""


def until(look: Callable[[], Found | None], *, within: float, expected: str, came: Callable[[], str]) -> Found:
    """What `look` finds, asked again and again. Raises Unexpected after `within` seconds."""
    deadline = time.monotonic() + within
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise Unexpected(f"{expected} within {within:.0f} s", came())
        time.sleep(PAUSE)
    return found


@dataclass(frozen=True)
class World:
    """What a journey meets."""

    site: Site
    pages: Pages
    mailbox: Mailbox
    desk: Commands
    staff: Staff
    bank: Bank


class Walk:
    """What a journey has at hand: the world, inboxes, and a voice."""

    def __init__(self, name: str, narrator: Narrator, world: World) -> None:
        self.name = name
        self.site = world.site
        self.pages = world.pages
        self.desk = world.desk
        self.staff = world.staff
        self.bank = world.bank
        self._narrator = narrator
        self._mailbox = world.mailbox
        self._inboxes: list[Inbox] = []

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """Tell the step when it is done. Raises StepFailed, told too, if anything else came than was expected."""
        begun, step = time.monotonic(), Step()
        try:
            yield step
        except Unexpected as error:
            failure = f"FAILED {what}: {error}"
            self._narrator.tell(self.name, failure, time.monotonic() - begun)
            raise StepFailed(failure) from error
        self._narrator.tell(self.name, f"{what}{step.note and f': {step.note}'}", time.monotonic() - begun)

    def inbox(self, address: str, *, about: str = "") -> Inbox:
        """The mail to `address`, or only that which mentions `about`; at the end none of it may be unread."""
        inbox = Inbox(self._mailbox, address, about)
        self._inboxes.append(inbox)
        return inbox

    @contextmanager
    def receives(self, inbox: Inbox, what: str, *, titled: str = "", within: float = MAIL_WITHIN) -> Iterator[Mail]:
        """The next mail with `titled` in its subject, whose contents the block checks; its line shows the subject."""
        with self.step(f"✉ to {inbox.owner}") as step:
            mail = until(
                lambda: inbox.next(titled),
                within=within,
                expected=f"a mail {what}, in {self._mailbox.folder},",
                came=lambda: " after ".join(["none came", *(f"“{read.subject}”" for read in inbox.read[-1:])]),
            )
            step.note = f"“{mail.subject}”"
            try:
                yield mail
            except Unexpected as error:
                raise Unexpected(f"a mail {what}, {error.expected}", f"{error.came} in “{mail.subject}”") from error

    def waits_until(self, instant: datetime, what: str) -> None:
        """Nothing happens until then."""
        with self.step(what):
            time.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds()))

    def reaches(self, acknowledgement_id: str, state: str, *, within: float) -> dict[str, object]:
        """Poll the status page's request until the booking is in `state`; its last answer."""
        seen = [""]

        def look() -> dict[str, object] | None:
            answer = self.site.check_status(acknowledgement_id).accepted("status", "timeline")
            seen[0] = str(answer["status"])
            return answer if answer["status"] == state else None

        return until(look, within=within, expected=f"status {state}", came=lambda: f"it is {seen[0]}")

    def finds_nothing_more(self) -> None:
        """Each notice came exactly once. Called when all journeys are over, so that a late repetition is seen too."""
        with self.step("each notice came once") as step:
            step.note = ", ".join(f"{len(inbox.read)} to {inbox.owner}" for inbox in self._inboxes)
            for inbox in self._inboxes:
                if more := inbox.next():
                    raise Unexpected(f"no further mail to {inbox.owner}", f"there is “{more.subject}”")
