"""Makes the first account of the practice, or lets an owner who has lost everything back in; prints a one-time link."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from backend.accounts import enrolment
from backend.core.commands import ReleasedCommand
from backend.ops.factor_resets import reset_factor

COMMAND = "command:first_owner"  # as records name who did it


class Command(ReleasedCommand):
    help = "Make the first owner's account and print the one-time link that sets up its password and second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="", help="where the owner reads mail")
        parser.add_argument("--reset", action="store_true", help="of this owner: password and second factor are lost")

    @transaction.atomic
    def handle(self, *_args: Any, username: str, email: str, reset: bool, **_options: Any) -> None:
        owners = User.objects.filter(is_superuser=True, is_active=True)
        if reset:
            token = _reset(owners.filter(username=username).first())
        elif owners.exists() or User.objects.filter(username=username).exists():
            raise CommandError(
                "There is an owner, or that account, already. Owners invite the others; --reset lets one in."
            )
        else:
            made = User.objects.create_superuser(username, email)  # no password: the link asks for one
            token = enrolment.make_link(made, by=COMMAND, now=timezone.now())
        self.stdout.write(f"Open this once, in the browser you will work with:\n{enrolment.address(token)}")


def _reset(owner: User | None) -> str:
    if owner is None:
        raise CommandError("There is no active owner of that name.")
    owner.set_unusable_password()
    owner.save(update_fields=["password"])
    return reset_factor(owner, actor=COMMAND, reason="asked on the machine", now=timezone.now())
