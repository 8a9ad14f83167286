"""Lists dead letters and puts them back to work, or away."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from backend.bookings.command_arguments import CONSOLE, add_actor, parse_actor
from backend.bookings.queries import acknowledgement_ids
from backend.core.commands import ReleasedCommand
from backend.ops import operator_actions
from backend.ops.formatting import format_utc
from backend.ops.models import Act
from backend.outbox.models import Message, MessageState, Queue


class Command(ReleasedCommand):
    help = "List, show, redrive or discard messages that were given up. What is done is recorded with --actor."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="one line each")
        show = verbs.add_parser("show", help="all of one, and what was done to it")
        show.add_argument("id", type=int)
        redrive = verbs.add_parser("redrive", help="try again, with fresh attempts")
        redrive.add_argument("--rate", type=int, default=operator_actions.PER_MINUTE, help="letters a minute")
        discard = verbs.add_parser("discard", help="not wanted any more; the row stays")
        discard.add_argument("--reason", required=True)
        for chosen in (redrive, discard):
            chosen.add_argument("id", type=int, nargs="*")
            chosen.add_argument("--all", action="store_true", help="all that the filters leave")
            add_actor(chosen)
        for filtered in (listing, redrive, discard):
            filtered.add_argument("--queue", default="", choices=Queue.values)
            filtered.add_argument("--kind", default="")

    def handle(self, *_args: Any, **options: Any) -> None:
        options["actor"] = parse_actor(options.get("actor", CONSOLE))
        match options["verb"]:
            case "list":
                self._list(options)
            case "show":
                self._show(options["id"])
            case "redrive":
                if options["rate"] < 1:
                    raise CommandError("--rate: give letters a minute, at least 1.")
                ids, now = self._chosen(options), timezone.now()
                done = operator_actions.redrive_many(ids, per_minute=options["rate"], actor=options["actor"], now=now)
                self._told(done, ids, "Back to work")
            case "discard":
                if not options["reason"].strip():
                    raise CommandError("--reason: say why.")
                ids, now = self._chosen(options), timezone.now()
                reason = options["reason"].strip()[:300]
                done = operator_actions.discard_many(ids, reason=reason, actor=options["actor"], now=now)
                self._told(done, ids, "Discarded")

    def _list(self, options: dict[str, Any]) -> None:
        rows = _filtered(options)
        names = acknowledgement_ids(row.booking_id for row in rows[: operator_actions.AT_ONCE])
        for row in rows[: operator_actions.AT_ONCE]:
            booking = names.get(row.booking_id, "no booking")
            self.stdout.write(
                f"{row.pk}  {row.queue}  {row.kind}  {booking}  {format_utc(row.settled_at)}"
                f"  {row.attempts} attempts  {row.last_error}"
            )
        self.stdout.write(f"Dead letters: {rows.count()}")

    def _show(self, message_id: int) -> None:
        row = Message.objects.filter(pk=message_id).first()
        if row is None:
            raise CommandError(f"There is no message {message_id}.")
        told = {
            "kind": row.kind,
            "queue": row.queue,
            "state": MessageState(row.state).label,
            "booking": acknowledgement_ids([row.booking_id]).get(row.booking_id, "none"),
            "recipient": row.recipient or "none",
            "attempts": row.attempts,
            "last error": row.last_error or "none",
            "owed since": format_utc(row.created_at),
            "settled": format_utc(row.settled_at),
            "correlation id": row.correlation_id or "none",
        }
        for name, value in told.items():
            self.stdout.write(f"{name:14}  {value}")
        for act in Act.objects.filter(message_id=message_id).order_by("pk"):
            self.stdout.write(f"{format_utc(act.at)}  {act.actor}  {act.get_verb_display()}  {act.reason}".rstrip())

    def _chosen(self, options: dict[str, Any]) -> list[int]:
        if bool(options["id"]) == options["all"]:
            raise CommandError("Give ids, or --all with the filters that leave those you mean.")
        if options["id"]:
            known = set(Message.objects.filter(pk__in=options["id"]).values_list("pk", flat=True))
            if unknown := [str(number) for number in options["id"] if number not in known]:
                raise CommandError(f"There is no message {', '.join(unknown)}. Nothing was done.")
            return list(options["id"])
        return list(_filtered(options).values_list("pk", flat=True))

    def _told(self, done: int, ids: list[int], what: str) -> None:
        rest = f". Not dead, or without their address by now: {len(ids) - done}" if done < len(ids) else ""
        self.stdout.write(f"{what}: {done}{rest}")


def _filtered(options: dict[str, Any]) -> QuerySet[Message]:
    return operator_actions.dead_letters(queue=options["queue"], kind=options["kind"])
