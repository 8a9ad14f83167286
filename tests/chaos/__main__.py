"""Runs the storm: `python -m tests.chaos [--seed N] [--minutes M] [--gateway NAME] [--rooms NAME] [--short] …`.

With the fake of a real gateway the money is looked at: the naive design, the races and outages know nothing of it.

Exit codes: 0 every figure holds, 1 one is missed, 2 the stack does not start.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config.local.console import end_in_order, say
from tests.chaos import between, gateways, races, rooms
from tests.chaos import faults as fault_plan
from tests.chaos import stack as stacks
from tests.chaos.figures import Figure, table
from tests.chaos.journal import Journal

if TYPE_CHECKING:
    from tests.chaos.stack import Stack

SHORT, SHORT_PACE = 14.0, 0.4  # seconds of storm, and the share of each duration


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = _options(arguments)
    if "host" in options.behind and "proxy" not in options.behind:
        sys.stderr.write("Only a proxy leads to a second host: --behind host proxy\n")
        return 2
    end_in_order()
    seconds, pace = (SHORT, SHORT_PACE) if options.short else (options.minutes * 60, 1.0)
    where = f"on {'SQLite' if options.sqlite else 'PostgreSQL'}, with {options.gateway}"
    say(f"seed {options.seed}, {seconds:.0f} s of storm, {where}")
    try:
        with stacks.built(options.seed, postgres=not options.sqlite, pace=pace, gateway=options.gateway) as stack:
            ours = _ours(stack, options, seconds)
        missed = [figure.name for figure in ours if not figure.holds]
        say(f"ours: {'missed ' + ', '.join(missed) if missed else 'every figure holds'}")
        naive = _naive(options, seconds) if _is_whole(options) and not options.sqlite else []
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    say(table(ours, naive))
    if missed:
        say(f"MISSED: {', '.join(missed)}; again with: make chaos SEED={options.seed} GATEWAY={options.gateway}")
        return 1
    say("Every figure holds.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="repeats a run's faults")
    parser.add_argument("--minutes", type=float, default=1.5, help="how long traffic and faults go on")
    parser.add_argument("--gateway", choices=gateways.ALL, default="sandbox", help="which one takes the money")
    parser.add_argument("--rooms", choices=rooms.ALL, help="a room of its own for each session, which also moves")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, without PostgreSQL's restart")
    parser.add_argument("--behind", nargs="*", choices=between.ADD, default=[], help="what stands between, too")
    parser.add_argument("--dump", type=Path, help="of migrated tables, on which our storm begins")
    parser.add_argument("--short", action="store_true", help="a few seconds of storm alone, as the tests run it")
    return parser.parse_args(arguments)


def _ours(stack: Stack, options: argparse.Namespace, seconds: float) -> list[Figure]:
    stacks.migrate(stack, options.dump)
    provider = rooms.Provider(stack, options.rooms) if options.rooms else None
    stack.has_rooms = provider is not None
    direct = dict(stack.environment)
    for name in (name for name in between.ADD if name in options.behind):
        between.ADD[name](stack)
    os.environ.update(stack.environment)
    stacks.add_servers(stack)
    stacks.add_service(stack, workers=1 if options.short else 2)
    _become_a_client_of_its_database()
    # Imported only now, since the settings read the environment set above
    storm = importlib.import_module("tests.chaos.storm")
    journal = Journal()
    stack.start()
    stack.wait_until(lambda: stack.answers() and stack.provider_answers(), "the start of web and provider")
    world = storm.prepared(stack, journal)
    storm.wait_until_mail_flows(world)
    gateways.let_loose(stack)
    plan = fault_plan.plan(
        options.seed,
        seconds,
        with_postgres=not options.sqlite,
        with_pooler="pooler" in options.behind,
        with_host="host" in options.behind,
        with_gateway=gateways.has_pages(options.gateway),
        with_rooms=stack.has_rooms,
    )
    say(f"the stack works; {len(plan)} faults are planned")
    figures: list[Figure] = storm.ride(stack, world, plan, seconds, is_timed=not options.short, provider=provider)
    if _is_whole(options):
        outages = importlib.import_module("tests.chaos.outages")
        say("the storm is over; now the calm")
        figures += outages.requests_by_broker(stack, world)
        figures += outages.beat_away(stack)
        stack.stop()
    if _is_whole(options) and not options.sqlite:
        say("and the races")
        figures += races.run(direct)  # what stood between has stopped
    return figures


def _is_whole(options: argparse.Namespace) -> bool:
    """Whether more than the storm itself is shown."""
    return not (options.short or options.rooms or gateways.has_pages(options.gateway))


def _naive(options: argparse.Namespace, seconds: float) -> list[Figure]:
    """The same storm over the usual design."""
    from tests.chaos import naive_storm

    say("the same storm over a naive design")
    with stacks.built(options.seed, postgres=True) as stack:
        os.environ.update(stack.environment)
        stacks.add_servers(stack)
        naive_storm.add_naive_service(stack)
        naive_storm.create_table(stack)
        stack.start()
        stack.wait_until(lambda: stack.answers() and stack.provider_answers(), "the start of the naive web")
        return naive_storm.ride(stack, fault_plan.plan(options.seed, seconds, with_postgres=True), seconds)


def _become_a_client_of_its_database() -> None:
    import django

    django.setup()
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it tells of each connection that the restart cut


if __name__ == "__main__":
    sys.exit(main())
