"""Attacks that stand in no list, each as somebody would try it at `web` in production settings: docs/decisions/047."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import requests

from tests.security.attacks import identities, texts, wire
from tests.security.attacks.target import Target

ATTACKS: tuple[Callable[[Target], Iterator[str]], ...] = (
    wire.smuggled_request,
    wire.foreign_host,
    wire.another_method,
    wire.cached_page,
    wire.held_connections,
    wire.another_protocol,
    texts.lines_in_mail,
    texts.lines_in_logs,
    texts.costly_texts,
    texts.old_dates,
    identities.many_spellings,
    identities.code_used_at_once,
)


def run(target: Target) -> bool:
    """Whether each found nothing."""
    holds = True
    for attack in ATTACKS:
        try:
            found = list(attack(target))
        except requests.RequestException as error:
            found = [f"no answer: {type(error).__name__}"]
        holds &= not found
        what = (attack.__doc__ or "").partition("\n")[0]
        sys.stdout.write(f"{'FOUND ' if found else 'holds '} {what}\n")
        sys.stdout.write("".join(f"         {line}\n" for line in found))
    return holds
