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
from typing import TypeAlias

from config.local.console import end_in_order, say
from tests.demo import stack as stacks
from tests.demo.commands import Commands
from tests.demo.expectations import Unexpected
from tests.demo.fakes import bank_of, fake
from tests.demo.journeys import JOURNEYS
from tests.demo.mailbox import Mailbox
from tests.demo.pages import Pages
from tests.demo.site import Site
from tests.demo.stack import NoStackError, Stack, WrongAddressError
from tests.demo.staff import Staff
from tests.demo.walk import STACK, Narrator, StepFailed, Walk, World
from tests.support import discretion
from tests.support.fake_gateway.fakes import FAKES

Preparation: TypeAlias = Callable[[list[str], Commands, Stack, Narrator], list[str]]

FIRST_MAIL_WITHIN = 60.0  # seconds; the workers start after the web server


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__.partition("\n")[0])
    parser.add_argument("url", nargs="?", help="of a stack begun by `make run PROFILE=fast` in this checkout")
    parser.add_argument("--gateway", choices=["sandbox", *FAKES], default="sandbox", help="of a fresh stack")
    given = parser.parse_args(arguments)
    url: str | None = given.url
    end_in_order()
    narrator = Narrator()
    try:
        return _sum_up(_elsewhere(url.rstrip("/"), narrator) if url else _at_home(narrator, given.gateway), narrator)
    except WrongAddressError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except NoStackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _at_home(narrator: Narrator, gateway: str) -> dict[str, bool]:
    """Every journey, on a stack of our own, which then starts again and gives visitors who cancel nothing back."""
    results: dict[str, bool] = {}
    for refunds in ("full", "none"):
        names = [name for name, journey in JOURNEYS.items() if (journey.refunds or "full") == refunds]
        with (
            fake(gateway) as settings,
            stacks.own(
                narrator, stacks.OWN_VAR, is_fresh=not results, REFUND_ON_VISITOR_CANCELLATION=refunds, **settings
            ) as stack,
        ):
            results |= _walked(names, stack, narrator, prepare=_open_every_day, gateway=gateway)
    return results


def _elsewhere(url: str, narrator: Narrator) -> dict[str, bool]:
    """The journeys that fit the stack at `url`."""
    stack = stacks.running(url)
    return _walked(list(JOURNEYS), stack, narrator, prepare=_choose)


def _open_every_day(names: list[str], desk: Commands, stack: Stack, narrator: Narrator) -> list[str]:
    """Staff's deadlines count open days only; closed ones are removed, so that they pass today too."""
    narrator.tell(STACK, f"every day is an open day here, so that deadlines pass: closed days {desk.open_every_day()}")
    return names


def _choose(names: list[str], desk: Commands, stack: Stack, narrator: Narrator) -> list[str]:
    """Those that can be walked there; the others are told."""
    is_closed = desk.is_closed_today()
    fit = []
    for name in names:
        journey = JOURNEYS[name]
        if journey.refunds not in ("", stack.refunds):
            narrator.tell(STACK, f"left out: {name}, because REFUND_ON_VISITOR_CANCELLATION is {stack.refunds} there")
        elif journey.needs_open_day and is_closed:
            narrator.tell(STACK, f"left out: {name}, because today is a closed day there, on which no deadline passes")
        else:
            fit.append(name)
    return fit


def _walked(
    names: list[str], stack: Stack, narrator: Narrator, *, prepare: Preparation, gateway: str = "sandbox"
) -> dict[str, bool]:
    """Walks these journeys; whether each went well."""
    desk = Commands(stacks.clean_environment(str(stack.env_file)), stack.staff_inbox)
    try:
        names = prepare(names, desk, stack, narrator)
        with desk.token() as token:
            results = _all_walks(names, stack, desk, token, narrator, gateway)
    except Unexpected as error:
        raise NoStackError(f"The stack does not answer to staff: {error}") from error
    except BaseException:
        narrator.mute_journeys()
        raise
    if not all(results.values()):
        sys.stderr.write(f"The stack's logs are in {os.path.relpath(stack.logs)}/\n")
    return results


def _all_walks(
    names: list[str], stack: Stack, desk: Commands, token: str, narrator: Narrator, gateway: str
) -> dict[str, bool]:
    mailbox, bank = Mailbox(stack.mail), bank_of(stack, gateway)

    def walk(name: str) -> Walk:
        site, pages = Site(stack.url, stack.origin), Pages(stack.public_url)
        return Walk(name, narrator, World(site, pages, mailbox, desk, Staff(stack.url, token), bank))

    if not _went_well(_mail_flows, walk("mail")):
        return {"mail": False}
    walks = {name: walk(name) for name in names}
    results = _walk_all(walks)
    if bank.has_pages:
        people = [name for each in walks.values() for name in each.site.people]
        results["gateway"] = _went_well(lambda each: _is_discreet(each, people), walk("gateway"))
    return results


def _is_discreet(walk: Walk, people: Sequence[str]) -> None:
    """The gateway learns neither who pays nor what the practice is for."""
    with walk.step("nothing that it was asked says who pays, or for what") as step:
        sent = walk.bank.sent()
        if not sent:
            raise Unexpected("requests to the gateway", "there are none")
        if found := discretion.told(sent, words={name.partition(" ")[0] for name in people}):
            raise Unexpected("none of the words", f"came “{found[0]}” and {len(found) - 1} more")
        step.note = f"{len(sent)} requests, {len(people)} people"


def _sum_up(results: dict[str, bool], narrator: Narrator) -> int:
    if failed := [name for name, went_well in results.items() if not went_well]:
        sys.stderr.write(f"FAILED: {', '.join(failed)}, after {narrator.elapsed():.0f} s.\n")
        return 1
    names = ", ".join(results)
    say(f"All {len(results)} journeys ended as they must ({names}), in {narrator.elapsed():.0f} s.")
    return 0


def _walk_all(walks: dict[str, Walk]) -> dict[str, bool]:
    """All at the same time; afterwards their mail once more. Whether each went well."""
    results: dict[str, bool] = {}

    def run(name: str) -> None:
        results[name] = _went_well(JOURNEYS[name].walk, walks[name])

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in [name for name, went_well in results.items() if went_well]:
        results[name] = _went_well(Walk.finds_nothing_more, walks[name])
    return {name: results[name] for name in walks}


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
