"""Walks every journey against a stack: `python -m tests.demo [URL]`; without URL, against a fresh one of its own.

Exit codes: 0 all went well, 1 a step or the stack failed, 2 the URL leads to no stack.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import NoReturn

from tests.demo import stack as stacks
from tests.demo.desk import Desk
from tests.demo.journeys import JOURNEYS
from tests.demo.mailbox import Mailbox
from tests.demo.site import Site
from tests.demo.stack import NoStackError, Stack, WrongAddressError
from tests.demo.walk import Narrator, StepFailed, Walk

FIRST_MAIL_WITHIN = 60.0  # seconds; the workers start after the web server


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__.partition("\n")[0])
    parser.add_argument("url", nargs="?", help="of a stack begun by `make run PROFILE=fast` in this checkout")
    url: str | None = parser.parse_args(arguments).url
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    narrator = Narrator()
    try:
        with _stack(url, narrator) as stack:
            try:
                failed = _failed(stack, narrator)
            finally:
                narrator.mute_journeys()
        return _sum_up(failed, stack, narrator)
    except WrongAddressError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except NoStackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _stack(url: str | None, narrator: Narrator) -> AbstractContextManager[Stack]:
    return nullcontext(stacks.running(url.rstrip("/"))) if url else stacks.own(narrator)


def _failed(stack: Stack, narrator: Narrator) -> list[str]:
    """Walks all journeys; the names of those that failed."""
    mailbox = Mailbox(stack.mail)
    environment = stacks.clean_environment(str(stack.env_file))

    def walk(name: str) -> Walk:
        return Walk(name, narrator, Site(stack.url, stack.origin), mailbox, Desk(environment, stack.staff_inbox))

    if not _went_well(_mail_flows, walk("mail")):
        return ["mail"]
    return _walk_all({name: walk(name) for name in JOURNEYS})


def _sum_up(failed: list[str], stack: Stack, narrator: Narrator) -> int:
    if failed:
        sys.stderr.write(f"FAILED: {', '.join(failed)}. The stack's logs are in {os.path.relpath(stack.logs)}/\n")
        return 1
    names = ", ".join(JOURNEYS)
    sys.stdout.write(f"All {len(JOURNEYS)} journeys ended as they must ({names}), in {narrator.elapsed():.0f} s.\n")
    return 0


def _walk_all(walks: dict[str, Walk]) -> list[str]:
    """All at the same time; afterwards their mail once more. The names of those that failed."""
    results: dict[str, bool] = {}

    def run(name: str) -> None:
        results[name] = _went_well(JOURNEYS[name], walks[name])

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in [name for name, went_well in results.items() if went_well]:
        results[name] = _went_well(Walk.finds_nothing_more, walks[name])
    return [name for name in walks if not results[name]]


def _went_well(journey: Callable[[Walk], None], walk: Walk) -> bool:
    try:
        journey(walk)
    except StepFailed:
        return False
    except Exception:  # noqa: BLE001 -- outermost loop of a thread: a bug of the demo is told, and fails it
        sys.stderr.write(f"{walk.name}: {traceback.format_exc()}")
        return False
    return True


def _mail_flows(walk: Walk) -> None:
    """The workers are up, and this is their mailbox: a stranger's question is answered by mail."""
    address = f"nobody-{secrets.token_hex(4)}@example.org"
    with walk.step("a link is asked for, by nobody we know") as step:
        answer = walk.site.request_link(address)
        answer.accepted("message")
        step.note = str(answer)
    with walk.receives(walk.inbox(address), "that nothing is open", within=FIRST_MAIL_WITHIN):
        pass


if __name__ == "__main__":
    sys.exit(main())
