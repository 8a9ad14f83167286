"""Makes a token of the staff API on the machine, for programs that run there: none is given for a password alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backend.accounts import scopes, tokens
from backend.core.commands import ReleasedCommand
from backend.ops import staff_tokens


class Command(ReleasedCommand):
    help = "Print a new token of the staff API for this account. It is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what it is for, such as `nightly export`")
        parser.add_argument("--scope", nargs="+", choices=scopes.ALL, default=[scopes.Wide.READ.value])
        parser.add_argument("--hours", type=int, default=12, help="until it ends, 90 days at most")

    def handle(self, *_args: Any, username: str, name: str, scope: list[str], hours: int, **_options: Any) -> None:
        account = User.objects.filter(username=username, is_staff=True, is_active=True).first()
        if account is None:
            raise CommandError("There is no active account of staff of that name.")
        lifetime = timedelta(hours=hours)
        if not timedelta(0) < lifetime <= tokens.LONGEST:
            raise CommandError(f"--hours is 1 to {tokens.LONGEST // timedelta(hours=1)}.")
        token = staff_tokens.issue(
            account,
            name=name[:80],
            scope=scopes.joined(scope),
            lifetime=lifetime,
            actor="command:staff_token",
            now=timezone.now(),
        )
        self.stdout.write(token)
