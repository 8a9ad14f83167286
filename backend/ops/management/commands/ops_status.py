"""Prints the snapshot: for people, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from backend.ops import findings, snapshot, status_tables
from backend.ops.status_tables import Table


class Command(BaseCommand):
    help = "Show the health of the whole system. Spans in JSON are seconds."
    requires_system_checks = []  # it must answer when things are broken

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        taken = snapshot.take_snapshot(now=timezone.now())
        found = findings.judge(taken)
        if options["json"]:
            told = {**asdict(taken), "findings": [asdict(finding) for finding in found]}
            self.stdout.write(json.dumps(told, default=_plain, indent=2))
            return
        for table in status_tables.build_tables(taken):
            self.stdout.write(_aligned(table))
        for finding in found:
            self.stdout.write(f"{finding.level.value}: {finding.text} {finding.advice}")


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    assert isinstance(value, datetime), type(value)
    return value.isoformat()


def _aligned(table: Table) -> str:
    lines = [table.columns, *(row.cells for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.columns))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([f"-- {table.title}", *shown, ""])
