"""What must hold of all rows at any moment, written down from the design and not from the code it checks."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

from tests.model.snapshot import Row, Snapshot
from tests.support.arrows import ARROWS

ACTIVE = {"PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED"}
HOLDS_SLOT = {"APPROVED", "PAYMENT_PENDING", "CONFIRMED"}
FINAL = {"COMPLETED", "REJECTED", "CANCELLED", "PAYMENT_FAILED"}
ALLOWED = ARROWS | {
    ("", "DRAFT"),
    ("", "PENDING"),
    ("", "APPROVED"),  # one of the times that a rejection offered, see relations.py
}
GIVES_BACK = {  # ledger intents
    *("cancel", "lapse_choice", "grant_refund", "record_unexpected_capture"),
    *("payment_timed_out", "fail_attempt", "end_idle_attempt"),
}
GRACE = timedelta(minutes=10)
BUFFER = timedelta(minutes=15)
ROOM_OPENS = timedelta(minutes=15)  # before the session, and so long it stays open after it
LINK_KEPT = timedelta(days=30)
COMPLETE_AFTER = timedelta(minutes=30)


def check(snapshot: Snapshot) -> None:
    """Raises AssertionError, naming the rows, when one of them breaks the design."""
    for booking in snapshot.bookings.values():
        _deadline(booking)
        _claim(snapshot, booking)
        _attempt(snapshot, booking)
        _place(booking)
        _ledger(snapshot, booking)
        _room(snapshot, booking)
        if booking.state in ("CONFIRMED", "COMPLETED"):
            assert _is_settled(snapshot, booking), f"promised without the money: {booking}"
    for link in snapshot.links.values():
        _link(link, snapshot.bookings[link.booking_id])
    for payment in snapshot.payments.values():
        _money(snapshot, payment)
    for refund in snapshot.refunds.values():
        _caused_once(snapshot, refund)
    _one_active(snapshot)
    _no_overlap(snapshot)


def _deadline(booking: Row) -> None:
    """Every waiting state has a deadline, and no final one; what belongs to a wait ends with it."""
    is_final = booking.state in FINAL
    assert (booking.due_at is None) == is_final, f"deadline: {booking}"
    assert (booking.closed_at is not None) == is_final, f"closed: {booking}"
    assert booking.next_ask_at is None or booking.state == "PAYMENT_PENDING", f"asks after no attempt: {booking}"
    assert booking.cancellation_requested_at is None or booking.state in ACTIVE, f"still called off: {booking}"
    if booking.choose_by is not None:
        assert booking.state in HOLDS_SLOT, f"chooses another time of nothing: {booking}"
        assert booking.choose_by < booking.slot_start, f"chooses after the start: {booking}"
        assert booking.state == "CONFIRMED" or booking.choose_by <= booking.pay_by, f"pays before: {booking}"
    if booking.state in ("APPROVED", "PAYMENT_PENDING"):
        assert booking.pay_by < booking.slot_start or booking.pay_by == booking.slot_start, f"pay_by: {booking}"
        assert booking.due_at <= min(booking.pay_by + GRACE, booking.slot_start), f"waits past its slot: {booking}"
    if booking.state == "CONFIRMED":
        assert booking.due_at == booking.slot_end + COMPLETE_AFTER, f"completion: {booking}"


def _claim(snapshot: Snapshot, booking: Row) -> None:
    """A claim exists exactly while the slot is held, and says what the booking says."""
    claims = [claim for claim in snapshot.claims.values() if claim.booking_id == booking.id]
    assert len(claims) == (booking.state in HOLDS_SLOT), f"{len(claims)} claims: {booking}"
    for claim in claims:
        assert (claim.psychologist_id, claim.blocked_from, claim.blocked_until) == (
            booking.psychologist_id,
            booking.slot_start,
            booking.slot_end + BUFFER,
        ), f"{claim} is not the slot of {booking}"


def _link(link: Row, booking: Row) -> None:
    """A booking link reads until a month after the end, and is never spent; one that cancels does so once, in time."""
    is_over = booking.state in FINAL
    if link.purpose == "booking":
        until = booking.closed_at + LINK_KEPT if is_over else booking.due_at if booking.state == "DRAFT" else None
        assert (link.expires_at, link.spent_at) == (until, None), f"{link} reads {booking}"
    elif link.purpose == "again":
        assert booking.reason == "unanswered", f"asks again for {booking}"
    elif link.purpose in ("reschedule", "alternative"):  # see relations.py
        return
    elif link.spent_at is not None:
        assert booking.reason in ("by_visitor", "cancelled_late"), f"{link} was used, and yet {booking}"
    elif link.purpose == "cancel_late" and booking.state == "CONFIRMED":
        assert link.expires_at <= booking.slot_start, f"{link} cancels what has begun: {booking}"


def _attempt(snapshot: Snapshot, booking: Row) -> None:
    """One attempt is open exactly while the booking waits for it."""
    attempts = [payment for payment in snapshot.payments_of(booking.id) if payment.state == "open"]
    assert len(attempts) == (booking.state == "PAYMENT_PENDING"), f"{len(attempts)} open attempts: {booking}"
    pages = [payment for payment in snapshot.payments_of(booking.id) if payment.page_state == "open"]
    assert len(pages) <= 1, f"a booking with two open pages: {pages}"
    closing = {message.subject_id for message in snapshot.messages.values() if message.kind == "close_order"}
    for page in pages:
        assert page.state == "open" or page.id in closing, f"a page that nobody closes: {page}"


def _place(booking: Row) -> None:
    """Nobody is promised a session without a place, an amount, or a guardian's consent."""
    if booking.state not in HOLDS_SLOT:
        return
    assert booking.meeting_link if booking.mode == "ONLINE" else booking.address, f"nowhere: {booking}"
    assert booking.amount_paise is not None, f"no amount: {booking}"
    assert booking.age >= 18 or booking.guardian_consent_at is not None, f"no consent: {booking}"
    assert booking.verified_at is not None, f"never proved: {booking}"


def _room(snapshot: Snapshot, booking: Row) -> None:
    """A room is there exactly while an online session is confirmed, for its time and for who gives it."""
    rooms = [room for room in snapshot.rooms.values() if room.booking_id == booking.id]
    assert len(rooms) == (booking.state == "CONFIRMED" and booking.mode == "ONLINE"), f"{len(rooms)} rooms: {booking}"
    for room in rooms:
        assert (room.psychologist_id, room.opens_at, room.closes_at) == (
            booking.psychologist_id,
            booking.slot_start - ROOM_OPENS,
            booking.slot_end + ROOM_OPENS,
        ), f"{room} is not the room of {booking}"


def _ledger(snapshot: Snapshot, booking: Row) -> None:
    """Numbered 1..n without a gap, each row beginning where the last ended, the last where the booking stands."""
    entries = snapshot.ledger_of(booking.id)
    assert [entry.sequence for entry in entries] == list(range(1, booking.ledger_sequence + 1)), f"gap: {entries}"
    source = ""
    for entry in entries:
        assert entry.source == source, f"{entry} does not begin at {source}"
        assert entry.source == entry.target or (entry.source, entry.target) in ALLOWED, f"no such arrow: {entry}"
        source = entry.target
    assert source == booking.state, f"the ledger ends at {source}: {booking}"


def _is_settled(snapshot: Snapshot, booking: Row) -> bool:
    """Captured in full by the gateway or at the desk, or nothing to pay up front."""
    is_due_there = (booking.mode, booking.payment_mode) == ("OFFLINE", "OFFLINE")
    if booking.corporate_id is not None or booking.amount_paise == 0 or is_due_there:
        return True
    if snapshot.paid(booking.id):
        return True  # else recorded by mistake, which was seen when the time to pay was over
    return any(p.state == "voided" and p.closed_at >= booking.pay_by for p in snapshot.payments_of(booking.id))


def _money(snapshot: Snapshot, payment: Row) -> None:
    """Never dropped: a capture pays for its booking, exactly and alone, or goes back in full. Never more goes back."""
    assert snapshot.left_paise(payment) >= 0, f"more goes back than came in: {payment}"
    if payment.state == "voided":
        assert payment.method == "desk", f"the gateway does not err so: {payment}"
        assert not snapshot.refunds_of(payment.id), f"money goes back that never came: {payment}"
        return
    if payment.state != "captured":
        assert payment.captured_paise == 0, f"money of no capture: {payment}"
        return
    if payment.is_unexpected:
        returned = [r.amount_paise for r in snapshot.refunds.values() if r.payment_id == payment.id]
        assert payment.captured_paise == 0 or payment.captured_paise in returned, f"kept: {payment}"
        return
    if payment.method == "online":
        assert payment.captured_paise == payment.amount_paise, f"not what was asked for: {payment}"
    assert (payment.captured_paise, payment.captured_currency) == (payment.amount_paise, payment.currency)
    booking = snapshot.bookings[payment.booking_id]
    assert snapshot.rest(booking.id) >= 0, f"paid more than the price: {snapshot.paying(booking.id)}"
    is_whole = snapshot.left_paise(payment) == payment.captured_paise
    assert is_whole or booking.state in FINAL or snapshot.rest(booking.id) == 0, (
        f"owed again, and given back: {payment}"
    )
    is_over = booking.reason == "payment_timed_out"
    assert not is_over or snapshot.held(booking.id) == 0, f"not paid in time, and kept: {payment}"
    took = [e for e in snapshot.ledger_of(payment.booking_id) if e.details.get("payment") == payment.id]
    assert any(e.details.get("captured_paise") == payment.captured_paise for e in took), f"not in the ledger: {payment}"


def refunds_of(entry: Row) -> list[int]:
    """Those that the row names: more than one of a sum that was paid in parts."""
    first = entry.details.get("refund")
    return [] if first is None else [first, *entry.details.get("more_refunds", [])]


def _caused_once(snapshot: Snapshot, refund: Row) -> None:
    """What goes back is named by the one row that caused it."""
    ledger = snapshot.ledger_of(snapshot.payments[refund.payment_id].booking_id)
    causes = [e for e in ledger if e.intent in GIVES_BACK and refund.id in refunds_of(e)]
    assert len(causes) == 1, f"caused by {causes}: {refund}"


def _one_active(snapshot: Snapshot) -> None:
    """One active booking per address, beside those that staff made."""
    active = [b.email for b in snapshot.bookings.values() if b.state in ACTIVE and b.origin == "visitor"]
    assert len(active) == len(set(active)), f"two active bookings of one visitor: {active}"


def _no_overlap(snapshot: Snapshot) -> None:
    """One psychologist, one session at a time."""
    for one, other in combinations(snapshot.claims.values(), 2):
        is_apart = one.blocked_until <= other.blocked_from or other.blocked_until <= one.blocked_from
        assert one.psychologist_id != other.psychologist_id or is_apart, f"promised twice: {one} and {other}"
