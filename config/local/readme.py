"""Writes what is generated from the code: parts of README and docs, and the API's description in OpenAPI.

`python -m config.local.readme`; `--check` compares.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import django

from config.local import keys

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FILES = (README, ROOT / "docs" / "configuration.md", ROOT / "docs" / "personal-data.md", ROOT / "docs" / "privacy.md")
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def states() -> str:
    """One row per state: meaning, whether it is active and holds a slot, and what its deadline does."""
    from backend.bookings.machine import ACTIVE, HOLDS_SLOT, MEANING, WHEN_DUE, State

    rows = ["| State | Meaning | Active | Slot | When its deadline passes |", "|---|---|---|---|---|"]
    for state in State:
        active, slot = ("yes" if state in ACTIVE else "no"), ("held" if state in HOLDS_SLOT else "–")
        rows.append(f"| {state} | {MEANING[state]} | {active} | {slot} | {WHEN_DUE.get(state, '–')} |")
    return "\n".join(rows)


def arrows() -> list[tuple[str, str, str]]:
    """Every arrow of the machine as (source, target, transition), in life-cycle order."""
    from backend.bookings.machine import State
    from backend.bookings.models import Booking

    order = list(State)
    found = {(str(t.source), str(t.target), str(t.name)) for t in Booking().get_all_state_transitions()}
    return sorted(found, key=lambda arrow: (order.index(State(arrow[0])), order.index(State(arrow[1])), arrow[2]))


def diagram() -> str:
    """The machine as a Mermaid state diagram."""
    lines = [f"    {source} --> {target}: {name}" for source, target, name in arrows()]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> DRAFT", *lines, "```"])


def configuration() -> str:
    """One row per environment variable, in the order in which the code reads them."""
    from backend.core.environment import VARIABLES

    rows = ["| Variable | Meaning | Default | Example |", "|---|---|---|---|"]
    for variable in VARIABLES.values():
        cells = (variable.meaning, variable.default or "empty", variable.example or "–")
        rows.append(f"| `{variable.name}` | {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(rows)


def personal_data() -> str:
    """Every column that is about people, by model; what a class of columns means."""
    from django.apps import apps

    from backend.core.encryption import encrypted_columns
    from backend.core.personal_data import ABOUT_PEOPLE, MEANING, personal_columns

    rows = [f"- **{sensitivity}**: {meaning}." for sensitivity, meaning in MEANING.items()]
    sealed = {(model, field.name) for model, field in encrypted_columns()}
    rows += [
        "",
        "Encrypted for their own row: those in *italics*.",
        "",
        "| Table | Personal | Sensitive |",
        "|---|---|---|",
    ]
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        if personal_columns(model):
            cells = [
                ", ".join(
                    f"*`{name}`*" if (model, name) in sealed else f"`{name}`" for name in personal_columns(model, one)
                )
                or "–"
                for one in ABOUT_PEOPLE
            ]
            rows.append(f"| {model._meta.label} | {' | '.join(cells)} |")
    return "\n".join(rows)


def retention() -> str:
    """What is kept how long, and what ends it."""
    from backend.bookings.retention import RULES, UNENDED
    from backend.core.formatting import span

    rows = ["| What | Table | How long | Then | Variable | Timer |", "|---|---|---|---|---|---|"]
    for rule in RULES.values():
        kept, variable = span(rule.kept) if rule.kept else "–", f"`{rule.variable}`" if rule.variable else "–"
        rows.append(f"| {rule.what} | `{rule.table}` | {kept} | {rule.then} | {variable} | `{rule.timer}` |")
    for one in UNENDED:
        tables = ", ".join(f"`{table}`" for table in one.tables)
        rows.append(f"| {one.what} | {tables} | {one.until} | – | – | – |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "states": states,
    "diagram": diagram,
    "configuration": configuration,
    "personal_data": personal_data,
    "retention": retention,
}


def descriptions() -> dict[Path, str]:
    """The API in OpenAPI, each part in its file."""
    from backend.api.schema import as_yaml

    docs = ROOT / "docs"
    return {docs / "openapi.yaml": as_yaml(is_staffs=False), docs / "openapi-staff.yaml": as_yaml(is_staffs=True)}


def renewed(text: str) -> str:
    """`text` with each generated block as the code has it now."""
    return BLOCK.sub(lambda block: f"{block[1]}{PARTS[block[2]]()}\n{block[3]}", text)


def main() -> int:
    """0: up to date or written. 1: `--check` found a difference."""
    # the table shows the defaults, whatever this machine has set
    os.environ.update(keys.generate(), ENV_FILE=os.devnull, DEBUG="1", DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    wanted = {path: renewed(path.read_text()) for path in FILES} | descriptions()
    stale = {path: fresh for path, fresh in wanted.items() if not path.exists() or path.read_text() != fresh}
    if "--check" in sys.argv:
        return int(bool(stale))
    for path, fresh in stale.items():
        path.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
