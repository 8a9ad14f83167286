"""Which mails and which gateway work each step owes: a table written by hand from the design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from backend.outbox.by_telephone import BOUNCED
from tests.model import promises
from tests.model.invariants import refunds_of
from tests.model.snapshot import Row, Snapshot

REQUEST = (
    "booking_received",
    "staff_booking_received",
    "staff_booking_waiting",
    "manager_booking_overdue",
    "answer_late",
)
CONFIRMATION = ("booking_confirmed", "psychologist_session_confirmed", "+reminders")
# (what the ledger calls it, where it led): the notices it owes; those with a plus depend on what `MORE` looks at
EXPECTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("submit_draft", "DRAFT"): ("draft_submitted", "+draft_reminder"),
    ("verify_email", "PENDING"): REQUEST,
    ("create_by_staff", "PENDING"): REQUEST,
    ("request_again", "PENDING"): REQUEST,
    ("take_alternative", "APPROVED"): ("+to_pay",),
    ("take_alternative", "CONFIRMED"): CONFIRMATION,
    ("book_follow_up", "PENDING"): (),  # staff book it while the client sits there: only the approval is told
    ("supersede", "CANCELLED"): (),
    ("lapse_draft", "CANCELLED"): ("+draft_lapsed",),
    ("unanswered", "CANCELLED"): ("booking_unanswered",),
    ("approve", "APPROVED"): ("booking_approved", "payment_still_due"),
    ("approve", "CONFIRMED"): CONFIRMATION,
    ("reject", "REJECTED"): ("booking_rejected",),
    ("start_payment", "PAYMENT_PENDING"): ("ensure_order",),
    ("record_capture", "CONFIRMED"): ("+confirmation",),
    ("record_desk_payment", "CONFIRMED"): ("+confirmation",),
    ("record_desk_payment", ""): ("payment_received",),
    ("void_desk_payment", "APPROVED"): ("payment_voided", "+unconfirmed"),
    ("void_desk_payment", ""): ("+voided",),
    ("sponsor", "PENDING"): (),
    ("sponsor", "CONFIRMED"): ("+confirmation",),
    ("record_late_capture", "CONFIRMED"): ("late_payment_booked", "psychologist_session_confirmed", "+reminders"),
    ("fail_attempt", "APPROVED"): ("payment_attempt_failed",),
    ("fail_attempt", "PAYMENT_FAILED"): ("payment_timed_out", "+refund"),
    ("end_idle_attempt", "APPROVED"): ("payment_attempt_failed",),
    ("end_idle_attempt", "PAYMENT_FAILED"): ("payment_timed_out", "+refund"),
    ("payment_timed_out", "CANCELLED"): ("payment_timed_out", "+refund"),
    ("complete_session", "COMPLETED"): (),
    **{("undo_decision", state): () for state in ("PENDING", "APPROVED", "CONFIRMED")},
    ("cancel", "CANCELLED"): ("booking_cancelled", "+psychologist_told", "+refund"),
    # notes, from whatever state
    ("record_unexpected_capture", ""): ("+returned",),
    ("reschedule", ""): ("booking_moved", "+move"),
    ("request_cancellation", ""): ("cancellation_requested", "staff_cancellation_requested"),
    ("offer_choice", ""): ("+choice",),
    ("lapse_choice", "CANCELLED"): ("booking_cancelled", "+psychologist_told", "+refund"),
    ("lapse_cancellation", ""): ("cancellation_lapsed",),
    ("grant_refund", ""): ("+refund",),
    ("refund_refused", ""): ("staff_refund_due", "refund_queued"),
    ("refund_unfinished", ""): ("staff_refund_due",),
    ("refund_made", ""): ("refund_made",),
    ("record_outcome", ""): (),
    ("extend_deadline", ""): (),
}
PSYCHOLOGISTS = {"meera@example.org", "kabir@example.org", "anita@example.org"}
HALF_A_DAY = timedelta(hours=12)
# what no ledger row causes: a stranger asked, or the gateway is asked, or is to pay back
OF_THE_PAYMENTS_WORKER = {"ask_gateway", "make_refund", "look_at_order", "close_order", "make_receipt"}
LOOSE = {"already_booked", "link_requested", "nothing_open", "draft_submitted"} | OF_THE_PAYMENTS_WORKER
TO_STAFF = ("staff_", "manager_", "psychologist_")
# see erasures.py and data_requests.py
OF_A_REQUEST = {
    *("data_corrected", "consent_withdrawn"),
    *("erasure_requested", "erasure_planned", "erasure_stopped", "erasure_done"),
}


class Step:
    """One new ledger row between two pictures."""

    def __init__(self, before: Snapshot, after: Snapshot, entry: Row, now: datetime) -> None:
        self.before, self.after, self.entry, self.now = before, after, entry, now
        self.booking = after.bookings[entry.booking_id]
        self.messages = [
            message
            for message in after.owed_about(entry.booking_id)
            if message.id not in before.messages and message.ledger_sequence == entry.sequence
        ]


def check(before: Snapshot, after: Snapshot, *, now: datetime) -> None:
    """Raises AssertionError when a mail or a piece of work is missing, doubled, unasked for, or goes astray."""
    explained: set[int] = set()
    for entry in after.ledger.values():
        if entry.id not in before.ledger:
            step = Step(before, after, entry, now)
            _check_row(step)
            promises.check_step(step)
            explained |= {message.id for message in step.messages}
    explained |= promises.renewed(before, after)
    for message in after.messages.values():
        is_told_too = message.dedupe_key.startswith(BOUNCED)  # its rule says of which mail, and that once
        if message.id not in before.messages and message.id not in explained and not is_told_too:
            assert message.kind in LOOSE | OF_A_REQUEST | {"ensure_order"}, f"nobody asked for {message}"
    _check_work(before, after)


def _check_row(step: Step) -> None:
    entry = step.entry
    key = (entry.intent, entry.target)
    names = EXPECTED[key] if key in EXPECTED else EXPECTED[entry.intent, ""]
    wanted: Counter[str] = Counter()
    for name in names:
        if name != "ensure_order":  # work, see _check_work
            wanted.update(MORE[name](step) if name.startswith("+") else [name])
    if step.booking.purged_at is not None:  # the visitor is told nothing more
        wanted = Counter({kind: number for kind, number in wanted.items() if kind.startswith(TO_STAFF)})
    found = Counter(message.kind for message in step.messages)
    assert found == wanted, f"{entry}: owed {sorted(wanted.elements())}, found {sorted(found.elements())}"
    for message in step.messages:
        if message.kind == "payment_still_due":
            _reminds_in_time(step, message)
        assert message.recipient in _audience(step, message.kind), f"goes astray: {message}"
        is_strangers = message.kind in ("draft_submitted", "staff_cancellation_requested")
        assert message.state == "waiting" or is_strangers, f"not sent: {message}"


def _reminds_in_time(step: Step, message: Row) -> None:
    """At half time; of a session to be paid weeks from now, half a day before."""
    pay_by = step.booking.pay_by
    due = max(step.now + (pay_by - step.now) / 2, pay_by - HALF_A_DAY)
    at = message.not_before
    is_moved = at != due and _is_quiet(due) and not _is_quiet(at)
    is_kept = at == due and (not _is_quiet(due) or _is_quiet(step.now))
    assert is_moved or is_kept, f"reminds at {at}, not {due}: {step.booking}"
    assert step.now <= at <= pay_by, f"reminds too late: {step.booking}"


def _is_quiet(at: datetime) -> bool:
    """From nine in the evening to seven, in the practice's zone; a minute before is the last that is not."""
    return not time(7) <= at.astimezone(ZoneInfo(settings.PRACTICE_TIME_ZONE)).time() <= time(20, 59)


def _audience(step: Step, kind: str) -> set[str]:
    if kind.startswith("psychologist_"):
        return PSYCHOLOGISTS
    if kind.startswith("manager_"):
        return {settings.MANAGER_INBOX}
    return {settings.STAFF_INBOX} if kind.startswith("staff_") else {step.booking.email}


ASKED = ("ask_gateway", "look_at_order", "close_order")  # see invariants.py for pages that are to be closed


def _check_work(before: Snapshot, after: Snapshot) -> None:
    """Each new attempt has its order, each refund of money from the gateway its way back, each receipt its document."""
    new = [message for message in after.messages.values() if message.id not in before.messages]
    work = Counter((m.kind, m.subject_id) for m in new if m.queue == "payments" and m.kind not in ASKED)
    wanted = Counter(
        ("ensure_order", payment.id)
        for payment in after.payments.values()
        if payment.id not in before.payments and payment.method == "online" and payment.state == "open"
    )
    wanted.update(
        ("make_refund", refund.id)
        for refund in after.refunds.values()
        if refund.id not in before.refunds and after.payments[refund.payment_id].method == "online"
    )
    wanted.update(("make_receipt", id_) for id_ in after.receipts if id_ not in before.receipts)
    assert work == wanted, f"work owed {wanted}, found {work}"


def _reminders(step: Step) -> list[str]:
    """As far as their time is ahead."""
    ahead = step.booking.slot_start - step.now
    first = ["session_approaching"] if ahead > timedelta(hours=24) else []
    return first + (["session_imminent"] if ahead > timedelta(hours=1) else [])


def _confirmation(step: Step) -> list[str]:
    """Money handed over for a session that stands already is told by itself."""
    if step.entry.source == step.entry.target:
        return ["payment_received"]
    return [*CONFIRMATION[:2], *_reminders(step)] if step.booking.choose_by is None else _choice(step)


def _choice(step: Step) -> list[str]:
    """Its reminder at half time, as long as that is ahead."""
    half = step.now + (step.booking.choose_by - step.now) / 2
    reminds = ["choice_still_open"] if step.now < half < step.booking.choose_by else []
    told = ["psychologist_choice_offered"] if step.booking.state == "CONFIRMED" else []
    return ["choice_offered", *reminds, *told]


def _unconfirmed(step: Step) -> list[str]:
    """Of a part nobody had been told that it confirms. The reminder to pay, unless the first one is still to come."""
    if step.entry.source != "CONFIRMED":
        return []
    mails = [m for m in step.before.messages.values() if m.booking_id == step.booking.id]
    is_planned = any((m.kind, m.state) == ("payment_still_due", "waiting") for m in mails)
    return ["psychologist_session_unconfirmed", *([] if is_planned else ["payment_still_due"])]


def _voided(step: Step) -> list[str]:
    """Who was told that the money had come, and waits for the session."""
    return ["payment_voided"] if step.entry.target in ("APPROVED", "CONFIRMED") else []


def _returned(step: Step) -> list[str]:
    """A part that is beyond the price goes back as any refund does."""
    return _refund(step) if step.entry.actor == "timer" else ["payment_returned", "staff_unexpected_money"]


def _to_pay(step: Step) -> list[str]:
    """Where nothing is to be paid the same step goes on, and the confirmation is all that is told."""
    return ["booking_approved", "payment_still_due"] if step.booking.state == "APPROVED" else []


def _draft_reminder(step: Step) -> list[str]:
    """Whom the limits keep from being written to is not reminded either."""
    return [] if any(m.state == "suppressed" for m in step.messages) else ["draft_still_unverified"]


def _draft_lapsed(step: Step) -> list[str]:
    was_written_to = any(link.booking_id == step.booking.id for link in step.before.links.values())
    return ["draft_lapsed"] if was_written_to else []


def _psychologist_told(step: Step) -> list[str]:
    return ["psychologist_session_cancelled"] if step.entry.source == "CONFIRMED" else []


def _refund(step: Step) -> list[str]:
    """Money of the session on its way back; money of the desk must be handed out by somebody."""
    new = [step.after.refunds[number] for number in refunds_of(step.entry)]
    methods = {step.after.payments[refund.payment_id].method for refund in new}
    return ["refund_queued"] * bool(methods) + ["staff_refund_due"] * ("desk" in methods)


def _move(step: Step) -> list[str]:
    """A confirmed session's move is known to whom it concerns; one that is not paid yet only to the visitor."""
    was = step.before.bookings[step.booking.id]
    if step.booking.state != "CONFIRMED":
        return [] if was.choose_by is None else ["payment_still_due"]
    if step.before.bookings[step.booking.id].psychologist_id == step.booking.psychologist_id:
        return ["psychologist_session_moved", *_reminders(step)]
    return ["psychologist_session_cancelled", "psychologist_session_confirmed", *_reminders(step)]


MORE: dict[str, Callable[[Step], list[str]]] = {
    "+reminders": _reminders,
    "+confirmation": _confirmation,
    "+unconfirmed": _unconfirmed,
    "+returned": _returned,
    "+voided": _voided,
    "+choice": _choice,
    "+to_pay": _to_pay,
    "+draft_reminder": _draft_reminder,
    "+draft_lapsed": _draft_lapsed,
    "+psychologist_told": _psychologist_told,
    "+refund": _refund,
    "+move": _move,
}
