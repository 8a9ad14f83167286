"""After a breach: whose data an account or a token was shown, who must hear of it until when, and what is open."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from backend.accounts import sessions, tokens
from backend.accounts.models import EnrolmentLink, TokenGrant
from backend.audit import records
from backend.audit.breaches import Disclosed, disclosed
from backend.audit.models import AccessRecord, Kind
from backend.bookings import actors
from backend.bookings.models import Booking
from backend.core.commands import ReleasedCommand
from backend.core.formatting import short_day_and_time
from backend.ops import staff_tokens
from backend.ops.breach_duties import DUTIES, clock

COMMAND = "command:breach"  # as the access log names it


class Command(ReleasedCommand):
    help = "List by id whose data somebody was shown, who must hear of it until when, and what that account has open."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="", metavar="NAME", help="whose password or session got out")
        parser.add_argument("--token", type=int, metavar="ID", help="of the staff API, as --account lists it")
        parser.add_argument("--since", required=True, type=_instant, metavar="TIME", help="2026-11-27T18:00+05:30")
        parser.add_argument("--until", type=_instant, metavar="TIME", help="now, unless said")
        parser.add_argument("--learnt", type=_instant, metavar="TIME", help="when we learnt of it: now, unless said")
        parser.add_argument("--end", action="store_true", help="end the account's sessions and tokens; or that token")

    def handle(self, *_args: Any, since: datetime, until: datetime | None, **options: Any) -> None:
        now = timezone.now()
        grant = _grant(options["token"])
        account = grant.token.user if grant else _account(options["account"])
        if options["end"] and account is None:
            raise CommandError("--end takes --account, or a --token that has not ended.")
        for duty in DUTIES:
            self.stdout.write(clock(duty, learnt_at=options["learnt"] or now, now=now))
        actor = None if account is None else actors.for_account(account)
        found = disclosed(actor=actor, since=since, until=until or now, token=options["token"])
        self.stdout.write(
            f"\n{_who(actor, options['token'])} was shown {found.pages} pages, searches and files about people:"
        )
        self._say(_told(found))
        if account is not None:
            self._say(_open(account, grant, now=now))
        if account is not None and options["end"]:
            self.stdout.write(f"ended: {_end(account, grant, now=now)}")

    def _say(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _who(actor: str | None, token: int | None) -> str:
    return f"token {token}" + (f" of {actor}" if actor else "") if token is not None else actor or "everybody"


def _instant(typed: str) -> datetime:
    """Raises ValueError, which argparse tells: an instant without offset is nobody's."""
    at = datetime.fromisoformat(typed)
    if at.tzinfo is None:
        raise ValueError(typed)
    return at


def _account(name: str) -> User | None:
    """Raises CommandError."""
    account = User.objects.filter(username=name).first()
    if name and account is None:
        raise CommandError(f"There is no account {name!r}.")
    return account


def _grant(pk: int | None) -> TokenGrant | None:
    """None for one that has ended, of which the log still knows. Raises CommandError."""
    grant = TokenGrant.objects.select_related("token__user").filter(pk=pk or 0).first()
    if pk is not None and grant is None and not AccessRecord.objects.filter(token_id=pk).exists():
        raise CommandError(f"There is no token {pk}, and none that ended has read anything.")
    return grant


def _told(found: Disclosed) -> Iterator[str]:
    """Ids alone; bookings by the id that staff and visitors know."""
    known = dict(Booking.objects.filter(pk__in=found.of("booking")).values_list("pk", "acknowledgement_id"))
    for name, ids in sorted(found.ids.items()):
        named = (known.get(pk, f"#{pk}") if name.startswith("booking.") else str(pk) for pk in sorted(ids))
        yield f"  {name}: {' '.join(named)}"
    clients = sorted(found.clients())
    yield f"persons to tell, by the number of their client: {len(clients)}: {' '.join(map(str, clients))}"


def _open(account: User, grant: TokenGrant | None, *, now: datetime) -> Iterator[str]:
    """What still lets somebody in, as this account or by this token."""
    yield "\nstill open:"
    if grant is None:
        for session in sessions.of(account, now=now):
            yield f"  session, {session.browser}, since {short_day_and_time(session.began_at)}, from {session.network}"
        for link in EnrolmentLink.objects.filter(account=account, expires_at__gt=now):
            yield f"  one-time link for a second factor, until {short_day_and_time(link.expires_at)}"
    for one in tokens.of(account, now=now):
        if grant in (None, one):
            yield f"  token {one.pk} {one.name!r}, {one.scope}, until {short_day_and_time(one.token.expiry)}"


@transaction.atomic
def _end(account: User, grant: TokenGrant | None, *, now: datetime) -> str:
    """Recorded as a change of rights."""
    if grant is not None:
        return f"{int(staff_tokens.revoke(grant, actor=COMMAND, now=now))} tokens"
    ended, revoked = sessions.end_all(account), tokens.revoke_all(account)
    links, _ = EnrolmentLink.objects.filter(account=account).delete()
    records.write(Kind.RIGHTS_CHANGED, {"user.access_ended": [account.pk]}, actor=COMMAND, now=now)
    return f"{ended} sessions, {revoked} tokens, {links} links"
