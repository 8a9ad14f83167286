"""A storm over reminders: `python -m config.local.postgres -- python -m tests.texts [PEOPLE]`.

Reminders of real sessions by WhatsApp, SMS and a server of one's own, over the providers' real HTTP, with mail behind
them. Requests are taken and not answered, refused, left hanging; all three are down in the middle, for as long as a
reminder waits for its report; workers are killed; reports come late, shuffled, tripled, or never, and others forge
some. Ten minutes are twenty seconds here: the outage, and FALLBACK_AFTER. Ends with 1 when a figure is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from config.local import keys
from config.local.console import end_in_order
from tests.support.server import ROOT


def main(people: int) -> int:
    """0: all held."""
    end_in_order()
    with tempfile.TemporaryDirectory() as folder:
        variables = _environment(folder)
        os.environ.update(variables)
        subprocess.run([sys.executable, "manage.py", "release"], cwd=ROOT, check=True, capture_output=True)
        import django

        django.setup()
        from tests.texts.plan import Plan
        from tests.texts.storm import blow
        from tests.texts.verdict import as_text, verdict

        found = verdict(blow(Plan(people=people), variables))
        print(as_text(found))  # noqa: T201
        return int(not all(figure.holds for figure in found))


def _environment(folder: str) -> dict[str, str]:
    where = {"VAR_DIR": folder, "ENV_FILE": os.devnull, "REDIS_URL": ""}
    given = {"DEBUG": "1", "DATABASE_POOL": "0", "DJANGO_SETTINGS_MODULE": "config.settings"}
    return {**keys.generate(), **where, **given}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
