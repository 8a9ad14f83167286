"""Deletes what of the access log was kept long enough; a timer does the same."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from backend.audit import expiry


class Command(BaseCommand):
    help = "Delete records of access older than ACCESS_RECORDS_KEPT. The database refuses the deletion of any other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say how many would go, and delete none.")

    def handle(self, *_args: Any, dry_run: bool, **_options: Any) -> None:
        now, gone = timezone.now(), 0
        if dry_run:
            self.stdout.write(f"would delete {expiry.expired(now).count()} records")
            return
        while done := expiry.expire(now=now):
            gone += done
        self.stdout.write(f"deleted {gone} records")
