"""All that happened to a booking, and what is still owed, in order of time: who, what, when, by which request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from backend.audit.models import AccessRecord, Kind
from backend.bookings import actors
from backend.bookings.intents import Intent
from backend.bookings.machine import Reason
from backend.bookings.models import Booking, LedgerEntry
from backend.channels import adapters
from backend.channels.models import Consent
from backend.channels.routing import is_text
from backend.core import disclosures
from backend.core.formatting import NOTHING, money, short_day_and_time
from backend.core.personal_data import personal_columns
from backend.desk.display import MESSAGE_COLOURS, badge, fate
from backend.desk.words import ledger_words, message_name
from backend.outbox import bundles
from backend.outbox.by_telephone import is_told
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import InboxEvent, Payment, PaymentState, Refund, RefundState
from backend.people.models import Client

_REFUNDS = {
    RefundState.QUEUED: "info",
    RefundState.UNFINISHED: "warning",
    RefundState.DONE: "success",
    RefundState.REFUSED: "danger",
    RefundState.WITHDRAWN: "secondary",
}
_PAYMENTS = {
    PaymentState.CAPTURED: "success",
    PaymentState.VOIDED: "warning",
    PaymentState.FAILED: "danger",
    PaymentState.IDLE: "secondary",
}


@dataclass(frozen=True)
class Happening:
    """One row. `state` is a word on the Bootstrap colour `colour`; `url` leads to the record, for those who see it."""

    at: datetime
    kind: str
    what: str
    who: str = NOTHING
    state: str = ""
    colour: str = "secondary"
    details: str = ""
    trace: str = ""
    url: str = ""
    order: int = 0  # among what happened at the same instant

    @property
    def when(self) -> str:
        return short_day_and_time(self.at)

    @property
    def badge(self) -> SafeString | None:
        """A booking's own state looks as everywhere."""
        return badge(self.state) if self.kind == "step" else None


def timeline(booking: Booking, user: User | AnonymousUser) -> list[Happening]:
    """Oldest first; what is only owed stands at the time when it falls due. A query for each kind of record."""
    sources = (_steps, _shown, _edits, _payments, _refunds, _events, _messages, _consents)
    found = [one for source in sources for one in source(booking, user)]
    return sorted(found, key=lambda one: (one.at, one.order))


def _steps(booking: Booking, _user: object) -> Iterator[Happening]:
    entries = list(LedgerEntry.objects.filter(booking=booking))
    words = ledger_words(entries)
    for entry in entries:
        reason = Reason(entry.reason).label if entry.reason in Reason else entry.reason.replace("_", " ")
        yield Happening(
            at=entry.at,
            kind="step",
            what=Intent(entry.intent).label,
            who=actors.describe(entry.actor),
            state=entry.target,
            details=", ".join(part for part in (reason, words[entry.sequence]) if part),
            trace=entry.correlation_id,
            order=entry.sequence,
        )


def _shown(booking: Booking, _user: object) -> Iterator[Happening]:
    for row in AccessRecord.objects.filter(subject="booking", subject_id=booking.pk, kind=Kind.REVEALED):
        yield Happening(row.at, "look", "telephone number shown", actors.describe(row.actor), trace=row.correlation_id)


def _edits(booking: Booking, user: User | AnonymousUser) -> Iterator[Happening]:
    """Of the person behind the address, by staff: which fields, not what stood in them."""
    if booking.client is None:
        return
    url = _url(user, "people.view_client", "people_client_change", booking.client.pk)
    told = personal_columns(Client)
    before: Any = None
    for row in booking.client.history.select_related("history_user").order_by("history_date", "history_id"):
        with disclosures.unseen():
            changed = [name for name in told if before is not None and getattr(row, name) != getattr(before, name)]
        if changed and row.history_user is not None:
            words = ", ".join(name.replace("_", " ") for name in changed)
            yield Happening(
                row.history_date, "edit", "client edited", row.history_user.get_username(), details=words, url=url
            )
        before = row


def _payments(booking: Booking, user: User | AnonymousUser) -> Iterator[Happening]:
    for payment in Payment.objects.filter(booking=booking):
        url = _url(user, "payments.view_payment", "payments_payment_change", payment.pk)
        name = f"{payment.get_method_display().lower()} payment {payment.reference}"
        asked = f"{money(payment.amount_paise)}"
        if payment.started_at != payment.captured_at:
            yield Happening(payment.started_at, "money", f"{name} begun", details=asked, url=url)
        if payment.captured_at is not None:
            by = f", {payment.paid_by}" if payment.paid_by else ""
            details = money(payment.captured_paise) + by + (", not expected" if payment.is_unexpected else "")
            yield Happening(
                payment.captured_at, "money", name, state="Captured", colour="success", details=details, url=url
            )
        if payment.closed_at is not None and payment.closed_at != payment.captured_at:
            state = PaymentState(payment.state)
            yield Happening(
                payment.closed_at, "money", name, state=state.label, colour=_PAYMENTS[state], details=asked, url=url
            )


def _refunds(booking: Booking, user: User | AnonymousUser) -> Iterator[Happening]:
    for refund in Refund.objects.filter(payment__booking=booking).select_related("payment"):
        url = _url(user, "payments.view_refund", "payments_refund_change", refund.pk)
        name = f"refund {refund.reference} of {refund.payment.reference}"
        who = actors.describe(refund.actor)
        details = f"{money(refund.amount_paise)}, {refund.reason.replace('_', ' ')}"
        if refund.settled_at is None or refund.settled_at != refund.queued_at:
            queued = RefundState.QUEUED
            yield Happening(refund.queued_at, "money", name, who, queued.label, _REFUNDS[queued], details, url=url)
        if refund.settled_at is not None:
            state = RefundState(refund.state)
            more = f", {refund.gateway_refund_id}" if refund.gateway_refund_id else ""
            yield Happening(
                refund.settled_at, "money", name, who, state.label, _REFUNDS[state], details + more, url=url
            )


def _events(booking: Booking, user: User | AnonymousUser) -> Iterator[Happening]:
    """What the gateway called to say."""
    references = Payment.objects.filter(booking=booking).values("reference")
    for event in InboxEvent.objects.filter(payment_reference__in=references):
        yield Happening(
            event.received_at,
            "money",
            f"gateway said {event.kind}",
            actors.describe(actors.gateway(event.gateway)),
            details=f"{event.result}: {event.why}" if event.why else event.result,
            trace=event.correlation_id,
            url=_url(user, "payments.view_inboxevent", "payments_inboxevent_change", event.pk),
        )


def _messages(booking: Booking, user: User | AnonymousUser) -> Iterator[Happening]:
    """Each mail, and each piece of work for the gateway, where it ended or where it falls due."""
    from backend.notifications import delivery  # with what mails are made of, and nobody else here needs

    for message in Message.objects.filter(bundles.about(booking.pk)).defer("context"):
        word, colour = fate(message)
        in_vain = delivery.is_planned_in_vain(message, booking, now=timezone.now())
        is_mail = message.queue == Queue.MAIL
        by_telephone = " by telephone" if is_told(message) and message.blanked_at is None else ""
        to = f" to {message.recipient}" if message.recipient else by_telephone
        tries = f"attempts {message.attempts}" if message.attempts > 1 else ""
        yield Happening(
            at=message.settled_at or max(message.not_before, message.created_at),
            kind="mail" if is_mail or is_text(message) else "gateway",
            what=f"{message_name(message.kind)}{to}",
            state="Will not be sent" if in_vain else word,
            colour=MESSAGE_COLOURS[MessageState.OBSOLETE] if in_vain else colour,
            details=", ".join(part for part in (tries, message.last_error) if part),
            trace=message.correlation_id,
            url=_url(user, "outbox.view_message", "outbox_message_change", message.pk),
            order=message.pk,
        )


def _consents(booking: Booking, _user: object) -> Iterator[Happening]:
    """The person's, of all their bookings; none is looked for where no channel is configured."""
    if booking.client_id is None or not adapters.configured():
        return
    for consent in Consent.objects.filter(client=booking.client_id):
        what = f"reminders by {consent.get_channel_display()}"
        yield Happening(consent.given_at, "edit", f"{what} wanted", actors.describe(consent.given_by))
        if consent.withdrawn_at is not None:
            by = actors.describe(consent.withdrawn_by)
            yield Happening(consent.withdrawn_at, "edit", f"no {what} any more", by)


def _url(user: User | AnonymousUser, permission: str, name: str, pk: int) -> str:
    return reverse(f"admin:{name}", args=[pk]) if user.has_perm(permission) else ""
