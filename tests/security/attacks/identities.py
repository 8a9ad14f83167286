"""Who somebody says to be: one mailbox in many spellings, one code in many places."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.demo.mailbox import Mailbox
from tests.security.attacks.target import Target


def many_spellings(target: Target) -> Iterator[str]:
    """One mailbox in many spellings, each with limits of its own: more mails reach it than the limit says."""
    name = f"spell{time.time_ns()}"
    spellings = [f"{name}@example.org", f"{name.upper()}@EXAMPLE.ORG", f" {name}@example.org ", f"{name}@Example.Org"]
    spellings += [f"{name}@ｅxample.org", f"{name}@example。org", f"{name}@example.org.", f'"{name}"@example.org']
    for number in range(16):
        who = {"X-Forwarded-For": f"198.51.100.{number}"}
        target.ask("POST", "/api/bookings/check-status/", json={"email": spellings[number % 8]}, headers=who)
    time.sleep(6)
    came = [mail for mail in all_recipients(target.mail) if any(name in one for one in mail)]
    if len(came) > 3:
        yield f"{len(came)} mails left to {name}"


def all_recipients(folder: Path) -> list[list[str]]:
    """Of each mail that left."""
    box = Mailbox(folder)
    box.to("nobody@example.org")  # reads
    return [sorted(mail.recipients) for mail in box._mails]


def code_used_at_once(target: Target) -> Iterator[str]:
    """The same code of an app from many places in the same moment, beside the right password."""
    time.sleep(31 - time.time() % 30)  # a fresh code
    from tests.support.factor import App

    body = {"username": target.owner.name, "password": target.owner.password, "otp": App(target.owner.app).code()}

    def enter(number: int) -> int:
        who = {"X-Forwarded-For": f"198.51.100.{number}"}
        return target.ask("POST", "/api/staff/login/", json=body, headers=who).status_code

    with ThreadPoolExecutor(8) as many:
        found = list(many.map(enter, range(8)))
    if found.count(200) > 1:
        yield f"one code let in {found.count(200)} of 8 at once: {found}"
    if found.count(200) == 0 or max(found) >= 500:
        yield f"nobody was let in: {found}"
