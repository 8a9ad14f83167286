"""Approves a pending booking from the command line, as the admin's form does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backend.bookings import queries
from backend.bookings.command_arguments import add_actor, parse_actor
from backend.bookings.lifecycle import approval
from backend.bookings.lifecycle.session_terms import Approval, GuardianConsent
from backend.bookings.models import Booking, GuardianProof
from backend.bookings.refusals import staff_sentence
from backend.core.commands import ReleasedCommand
from backend.core.errors import Refused
from backend.core.formatting import money, practice_zone, short_day_and_time
from backend.desk.booking.actions.approve import ApprovalForm
from backend.desk.forms import to_paise
from backend.desk.session_fields import MINUTES_MOST
from backend.people.models import Location, Psychologist

LONGEST_WAIT = 366 * 24 * 3600  # seconds; more than this --in is a typing error


class Command(ReleasedCommand):
    help = "Approve a pending booking. Times are read in the practice's zone unless they carry an offset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("acknowledgement_id", metavar="MS-XXXXXX")
        parser.add_argument("--psychologist", required=True, metavar="ID|NAME", help="number or full name")
        start = parser.add_mutually_exclusive_group(required=True)
        start.add_argument("--at", metavar="TIME", help='such as "2026-12-01 18:00" or 2026-12-01T18:00+05:30')
        start.add_argument("--in", dest="seconds", type=int, metavar="SECONDS", help="the slot starts that much later")
        parser.add_argument("--length", type=int, metavar="MINUTES", help="empty: the usual length")
        parser.add_argument("--amount", metavar="RUPEES", help="such as 1500.00; empty: the psychologist's fee")
        parser.add_argument("--meeting-link", default="", metavar="URL", help="empty: the psychologist's own")
        parser.add_argument("--location", type=int, metavar="ID", help="empty: the psychologist's own")
        parser.add_argument("--guardian-consent", default="", metavar="NAME", help="of a minor: who consented")
        parser.add_argument(
            "--guardian-proof", choices=GuardianProof.values, help="how you know that it is the guardian"
        )
        parser.add_argument(
            "--despite-cancellation-request", action="store_true", help="although the visitor asked to cancel"
        )
        parser.add_argument(
            "--pay-if-not-sponsored", action="store_true", help="ask the visitor to pay where the sponsor does not"
        )
        parser.add_argument("--despite-hours", action="store_true", help="outside the psychologist's hours as well")
        add_actor(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        now = timezone.now()
        booking = _booking(options["acknowledgement_id"])
        decided = _approval(options, now=now)
        try:
            booking = approval.approve(booking.pk, decided, actor=parse_actor(options["actor"]), now=now)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {staff_sentence(refused, booking)}") from refused
        pay_by = f"pay by {short_day_and_time(booking.pay_by)}" if booking.pay_by else "nothing to pay up front"
        self.stdout.write(
            f"{booking} {booking.state} {short_day_and_time(booking.slot_start)}, {booking.psychologist}, "
            f"{money(booking.amount_paise)}, {pay_by}"
        )


def _booking(typed: str) -> Booking:
    acknowledgement_id = queries.normalize_acknowledgement_id(typed)
    if not acknowledgement_id:
        raise CommandError(f"{typed!r} is not an acknowledgement id: MS- and six letters or digits.")
    booking = Booking.objects.filter(acknowledgement_id=acknowledgement_id).first()
    if booking is None:
        raise CommandError(f"There is no booking {acknowledgement_id}.")
    return booking


def _approval(options: dict[str, Any], *, now: datetime) -> Approval:
    length: int | None = options["length"]
    if length is not None and not 0 < length <= MINUTES_MOST:
        raise CommandError(f"--length {length}: give minutes between 1 and {MINUTES_MOST}.")
    location_id: int | None = options["location"]
    if location_id is not None and not Location.objects.filter(pk=location_id).exists():
        raise CommandError(f"--location {location_id}: there is no such location.")
    return Approval(
        psychologist_id=_psychologist(options["psychologist"]).pk,
        slot_start=_slot_start(options, now=now),
        slot_length=None if length is None else timedelta(minutes=length),
        amount_paise=_amount_paise(options["amount"]),
        meeting_link=_meeting_link(options["meeting_link"]),
        location_id=location_id,
        guardian_consent=_guardian(options),
        despite_cancellation_request=options["despite_cancellation_request"],
        despite_hours=options["despite_hours"],
        pay_if_not_sponsored=options["pay_if_not_sponsored"],
    )


def _guardian(options: dict[str, Any]) -> GuardianConsent | None:
    name, proof = options["guardian_consent"], options["guardian_proof"]
    return GuardianConsent(name, GuardianProof(proof)) if name and proof else None


def _psychologist(typed: str) -> Psychologist:
    """By number, or by full name in any case. Whether they are active is the lifecycle's to judge."""
    found = list(Psychologist.objects.filter(pk=int(typed)) if typed.isdecimal() else _named(typed))
    if len(found) == 1:
        return found[0]
    choices = found or Psychologist.objects.filter(is_active=True)
    problem = "several people have this name" if found else "there is no such psychologist"
    known = ", ".join(f"{p.pk} {p.full_name}" for p in choices) or "nobody; see seed_practice"
    raise CommandError(f"--psychologist {typed!r}: {problem}. Known: {known}.")


def _named(name: str) -> list[Psychologist]:
    return list(Psychologist.objects.filter(full_name__iexact=name.strip()))


def _slot_start(options: dict[str, Any], *, now: datetime) -> datetime:
    if options["seconds"] is not None:
        if not 0 < options["seconds"] <= LONGEST_WAIT:
            raise CommandError(f"--in {options['seconds']}: give seconds between 1 and {LONGEST_WAIT}.")
        return now + timedelta(seconds=options["seconds"])
    typed: str = options["at"]
    # The form's field refuses times that a clock change skips or repeats; a bare date would mean midnight
    if ":" not in typed:
        raise CommandError(f'--at {typed!r}: give date and time, such as "2026-12-01 18:00".')
    with timezone.override(practice_zone()):
        slot_start: datetime = _clean(forms.DateTimeField(input_formats=["%Y-%m-%d %H:%M"]), "--at", typed)
    return slot_start


def _amount_paise(typed: str | None) -> int | None:
    if typed is None:
        return None
    return to_paise(_clean(forms.DecimalField(max_digits=10, decimal_places=2), "--amount", typed))


def _meeting_link(typed: str) -> str:
    return str(_clean(ApprovalForm.base_fields["meeting_link"], "--meeting-link", typed))


def _clean(field: forms.Field, option: str, typed: str) -> Any:
    """What the admin's form would make of it."""
    try:
        return field.clean(typed)
    except ValidationError as error:
        raise CommandError(f"{option} {typed!r}: {' '.join(error.messages)}") from error
