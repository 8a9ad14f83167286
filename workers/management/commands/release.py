"""The release step: refuse what cannot be reached, migrate, install the schedule, collect static files."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from backend.ops import pending_migrations
from workers import schedule
from workers.dependencies import DEPENDENCIES

HALF = (
    "The database has applied only some of what {} replaces. Run `release` of the code that still has the rest first: "
    "docs/operations/README.md, Upgrade."
)


class Command(BaseCommand):
    help = "Prepare this release: check what was given, migrate, install the beat schedule, collect static files."
    requires_system_checks = []  # the checks ask the database, and its absence deserves our own sentence

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Idempotent. A given server that cannot be reached is refused by its variable's name.

        So is a database that stopped halfway through what is squashed by now.
        """
        for need in DEPENDENCIES:
            trouble = need.trouble() if need.is_given else None
            if trouble:
                raise CommandError(f"{trouble}\nNothing was changed.")
        if half := pending_migrations.half_replaced():
            raise CommandError(f"{HALF.format(', '.join(half))}\nNothing was changed.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("check", databases=["default"], stdout=self.stdout)
        for line in schedule.install(settings.BEAT_TABLE):
            self.stdout.write(f"schedule: {line}")
        if not settings.DEBUG:  # with DEBUG the files are served from where they lie
            call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write("release: database, schedule and static files are ready")
