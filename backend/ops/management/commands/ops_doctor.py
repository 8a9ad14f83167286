"""Says what is wrong with configuration and health, and what to do about each."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from backend.ops import doctor, findings, mail_domain, snapshot
from backend.ops.findings import Finding, Level


class Command(BaseCommand):
    help = "Check configuration and health. Exits 0: all well, 1: somebody should look, 2: something does not work."
    requires_system_checks = []  # it must answer when things are broken

    def handle(self, *_args: Any, **_options: Any) -> None:
        taken = snapshot.take_snapshot(now=timezone.now())
        found = [*findings.judge(taken), *doctor.configuration(), *self.say_of_domain()]
        if taken.health is not None:
            found += [*doctor.schedule(), *doctor.keys(), *doctor.texts(), *doctor.limits()]
        found.sort(key=lambda finding: list(Level).index(finding.level))
        for finding in found:
            self.stdout.write(
                f"{finding.level.value:8}  {finding.component}: {finding.text}\n          {finding.advice}"
            )
        if not found:
            self.stdout.write("All well.")
            return
        sys.exit(1 if all(finding.level is Level.WARNING for finding in found) else 2)

    def say_of_domain(self) -> tuple[Finding, ...]:
        """What others read of it; who answers nothing is said here, and is no finding."""
        try:
            return mail_domain.mail_domain()
        except mail_domain.Unanswered as error:
            self.stdout.write(f"unknown   mail: {error}.")
            return ()
