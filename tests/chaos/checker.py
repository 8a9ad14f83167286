"""What the fakes were told, held against what the database says. The application's own counters are never asked.

The tables here are written by hand from the design, not taken from the code they judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.outbox.models import Message
from backend.payments.models import Refund
from tests.chaos import books, money
from tests.chaos.books import Books
from tests.chaos.faults import Kind
from tests.chaos.figures import Figure, at_most, none_of
from tests.chaos.journal import Happened, Journal
from tests.chaos.provider_modes import ProviderMode
from tests.chaos.stack import Stack, lines
from tests.support.arrows import ARROWS

OWED = {  # by the ledger's intent
    "submit_draft": {"draft_submitted"},
    "verify_email": {"booking_received", "staff_booking_received"},
    "approve": {"booking_approved"},
    "reject": {"booking_rejected"},
    "record_capture": {"booking_confirmed", "psychologist_session_confirmed"},
    "record_late_capture": {"late_payment_booked"},
    "record_unexpected_capture": {"payment_returned", "staff_unexpected_money"},
    "request_cancellation": {"cancellation_requested"},
    "cancel": {"booking_cancelled"},
    "lapse_draft": {"draft_lapsed"},
    "unanswered": {"booking_unanswered"},
    "payment_timed_out": {"payment_timed_out"},
    "refund_made": {"refund_made"},
}
# an answer that says no, so the mail may be written anew; after an error of the provider's own it may not
REFUSED = ProviderMode.BUSY
WAITING = {"booking_received", "answer_late", "booking_approved", "payment_still_due", "payment_attempt_failed"}
SESSION = {"booking_confirmed", "late_payment_booked", "session_approaching", "session_imminent"}
UNPROVED = {"draft_submitted", "draft_still_unverified"}
NEVER_AFTER = {  # a mail that was accepted → those about the same booking, to the same person, that would contradict it
    "booking_received": UNPROVED | {"draft_lapsed"},
    "draft_lapsed": UNPROVED | WAITING | SESSION,
    "booking_rejected": UNPROVED | WAITING | SESSION | {"cancellation_requested"},
    "booking_unanswered": UNPROVED | WAITING | SESSION | {"cancellation_requested"},
    "payment_timed_out": UNPROVED | WAITING | {"booking_confirmed", "cancellation_requested"},
    "booking_confirmed": UNPROVED | WAITING | {"payment_timed_out"},
    "late_payment_booked": UNPROVED | WAITING | {"payment_timed_out"},
    "booking_cancelled": UNPROVED | WAITING | SESSION | {"cancellation_requested", "cancellation_lapsed"},
}
SETTLES_WITHIN = 5.0  # seconds from a provider's acceptance to our noting it, on a machine that is busy with a storm
LEAVES_WITHIN = 2.0  # seconds from the look whether an elder waits to the provider's log


class Mails:
    """The provider's log, by key, beside the rows of the outbox."""

    def __init__(self, stack: Stack) -> None:
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in lines(stack.mail_log):
            self.calls[line["key"]].append(line)
        self.rows = {str(row.uuid): row for row in Message.objects.filter(queue="mail").order_by("pk")}

    def accepted(self, key: str) -> list[dict[str, Any]]:
        return [call for call in self.calls[key] if is_accepted(call)]


def is_accepted(call: dict[str, Any]) -> bool:
    return str(call["outcome"]).startswith("accepted")


def check(stack: Stack, journal: Journal) -> list[Figure]:
    """Every figure that needs calm and both logs."""
    mails, known = Mails(stack), books.of(stack)
    return [
        Figure("bookings asked for", str(len(journal.promised))),
        Figure("mails accepted", str(sum(len(mails.accepted(key)) for key in list(mails.calls)))),
        none_of("effects lost", [*_lost(mails, known), *_never_owed(), *_forgotten(journal)]),
        *_repetitions(mails, journal),
        none_of("contradictory or out-of-order mails", list(_contradictions(mails))),
        none_of("illegal or double transitions", list(illegal_steps())),
        none_of("slots held wrongly or twice", list(wrong_claims())),
        *money.figures(known, stack.gateway),
        none_of("locks refused, by any log", list(_refused_locks(stack))),
        Figure("dead letters", str(Message.objects.filter(state="dead").count())),
    ]


# -- lost --------------------------------------------------------------------------------------------------------------


def _lost(mails: Mails, known: Books) -> Iterator[str]:
    """The database says that it was done; the service was never asked."""
    for key, row in mails.rows.items():
        if row.state == "done" and not mails.accepted(key):
            yield f"{row.kind} {key} is done, and no provider accepted it"
    made = {refund.reference: refund.paise for refund in known.refunds}
    for refund in Refund.objects.filter(state="done"):
        if made.get(refund.reference, 0) != refund.amount_paise:
            yield f"refund {refund.reference} is done, and the gateway knows of none"


def _never_owed() -> Iterator[str]:
    """A transition whose messages were not written with it."""
    owed: dict[int | None, set[str]] = defaultdict(set)
    for booking_id, kind in Message.objects.values_list("booking_id", "kind"):
        owed[booking_id].add(kind)
    for booking_id, intent in LedgerEntry.objects.values_list("booking_id", "intent"):
        if missing := OWED.get(intent, set()) - owed[booking_id]:
            yield f"booking {booking_id}: {intent} owes {', '.join(sorted(missing))}"


def _forgotten(journal: Journal) -> Iterator[str]:
    """A visitor read that the request was taken, and nobody knows of it."""
    known = set(Booking.objects.values_list("email", flat=True))
    return (f"the request of {address} was taken and is gone" for address in journal.promised - known)


# -- repeated ----------------------------------------------------------------------------------------------------------


def _repetitions(mails: Mails, journal: Journal) -> list[Figure]:
    """Calls beyond those that failures and kills explain."""
    interrupts = interruptions(journal, "worker-mail")
    too_many, unexplained, different, beyond, drops = [], [], [], 0, 0
    for key, calls in mails.calls.items():
        failures = sum(call["outcome"] != "accepted" for call in calls)
        killed = sum(any(_cuts(fault, call) for fault in interrupts) for call in calls[:-1])
        if len(calls) > 1 + failures + killed:
            too_many.append(f"{key}: {len(calls)} calls, {failures} failures, {killed} of them cut short")
        if len({(call["digest"], call["message_id"]) for call in calls if call["outcome"] != REFUSED}) > 1:
            told = ", ".join(f"{call['outcome']} {call['digest'][:8]} at {call['at']:.1f}" for call in calls)
            different.append(f"{key}: {told}")
        accepted = mails.accepted(key)
        beyond += len(accepted[1:])
        drops += sum(call["outcome"] != "accepted" for call in accepted)
        for call, again in pairwise(accepted):
            if call["outcome"] == "accepted" and not any(_cuts(fault, call) for fault in interrupts):
                unexplained.append(f"{key} at {call['at']:.2f} and again at {again['at']:.2f}")
    return [
        none_of("keys called more often than failures explain", too_many),
        at_most("accepted calls beyond one a key", beyond, drops + len(interrupts)),
        none_of("extra effects, with two beats and wake-ups tripled", unexplained),
        none_of("repetitions with other bytes or another Message-ID", different),
    ]


def interruptions(journal: Journal, worker: str) -> list[Happened]:
    """What can keep a worker from noting an acceptance: its death, or the database's."""
    kills = [fault for fault in journal.of(Kind.WORKER, Kind.CHILD) if fault.victim.startswith(worker)]
    return kills + journal.of(Kind.POSTGRES)


def _cuts(fault: Happened, call: dict[str, Any]) -> bool:
    return fault.at - SETTLES_WITHIN <= call["at"] <= fault.until + 0.5


# -- contradicted ------------------------------------------------------------------------------------------------------


def _contradictions(mails: Mails) -> Iterator[str]:
    """By booking and reader, in the order in which the provider first accepted them."""
    sequences: dict[tuple[int | None, str], list[tuple[float, Message]]] = defaultdict(list)
    for key, row in mails.rows.items():
        if accepted := mails.accepted(key):
            sequences[row.booking_id, accepted[0]["to"]].append((accepted[0]["at"], row))
    for (booking_id, _), told in sequences.items():
        if booking_id is None:
            continue
        told.sort(key=lambda pair: pair[0])
        for position, (at, row) in enumerate(told):
            for later_at, later in told[position + 1 :]:
                if later.kind in NEVER_AFTER.get(row.kind, set()):
                    yield f"booking {booking_id}: {later.kind} after {row.kind}"
                if later.pk < row.pk and later.not_before.timestamp() < at - LEAVES_WITHIN:
                    yield f"booking {booking_id}: {row.kind} at {at:.1f} overtook {later.kind} at {later_at:.1f}"


# -- the machine -------------------------------------------------------------------------------------------------------


def illegal_steps() -> Iterator[str]:
    """The ledger of each booking is one chain of allowed steps that ends in its state."""
    chains: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in LedgerEntry.objects.order_by("booking_id", "sequence"):
        chains[entry.booking_id].append(entry)
    states = dict(Booking.objects.values_list("pk", "state"))
    for pk, chain in chains.items():
        if [entry.sequence for entry in chain] != list(range(1, len(chain) + 1)):
            yield f"booking {pk}: its ledger has gaps"
        if chain[-1].target != states[pk]:
            yield f"booking {pk}: is {states[pk]}, its ledger ends in {chain[-1].target}"
        for before, after in pairwise(chain):
            if after.source != before.target:
                yield f"booking {pk}: {after.intent} came from {after.source}, not from {before.target}"
            if after.source != after.target and (after.source, after.target) not in ARROWS:
                yield f"booking {pk}: {after.intent} led from {after.source} to {after.target}"


def wrong_claims() -> Iterator[str]:
    """A claim exactly while a slot is held, and none over another."""
    holding = set(
        Booking.objects.filter(state__in=["APPROVED", "PAYMENT_PENDING", "CONFIRMED"]).values_list("pk", flat=True)
    )
    claims = list(SlotClaim.objects.order_by("psychologist_id", "blocked_from"))
    for pk in holding ^ {claim.booking_id for claim in claims}:
        yield f"booking {pk} holds a slot without a claim, or a claim without a slot"
    for one, next_one in pairwise(claims):
        if one.psychologist_id == next_one.psychologist_id and next_one.blocked_from < one.blocked_until:
            yield f"bookings {one.booking_id} and {next_one.booking_id} have one psychologist at the same time"


def _refused_locks(stack: Stack) -> Iterator[str]:
    """SQLite's and PostgreSQL's words for it; a deadlock that was retried counts too."""
    for path in sorted(stack.folder.glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if "database is locked" in line or "deadlock detected" in line:
                yield f"{path.name}: {line[:200]}"
