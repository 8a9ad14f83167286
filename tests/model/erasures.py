"""What must hold of people's wishes about their data: nothing of who was erased stays, and nothing else is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.model.invariants import ACTIVE, FINAL
from tests.model.snapshot import Row, Rows, Snapshot

# every column of a booking that says who somebody is, how to reach them, or what they or others wrote of them
PERSONAL = (
    "client_id",
    "email",
    "full_name",
    "phone_number",
    "city",
    "region",
    "country",
    "age",
    "gender",
    "emergency_contact",
    "user_message",
    "sponsor_code",
    "guardian_name",
    "meeting_link",
    "note_to_visitor",
    "refund_note",
)
STEPS = {
    ("", "asked"),
    ("", "waiting"),  # somebody told staff
    ("", "done"),  # corrected or withdrawn
    ("asked", "waiting"),
    ("asked", "stopped"),
    ("asked", "lapsed"),
    ("waiting", "waiting"),  # put off
    ("waiting", "stopped"),
    ("waiting", "done"),
}
CONTINUES = ("request_again", "take_alternative", "book_follow_up")
STOPPABLE_FOR = timedelta(days=7)
UNPAID_FOR = timedelta(days=14)  # as long money is asked for that is owed at the practice


def check(snapshot: Snapshot) -> None:
    """Raises AssertionError when a row still knows somebody who was erased, or a request is not as it should be."""
    for booking in snapshot.bookings.values():
        if booking.purged_at is not None:
            _emptied(booking)
            if booking.verified_at is not None:
                _is_unknown(snapshot, booking)
    for request in snapshot.requests.values():
        is_open = request.state in ("asked", "waiting")
        assert is_open == (request.due_at is not None) == (request.closed_at is None), f"waits for ever: {request}"
        if (request.kind, request.state) == ("erasure", "done"):
            assert request.client_id is None, f"names whom it erased: {request}"
    waiting = [request.client_id for request in snapshot.open_requests if request.client_id is not None]
    assert len(waiting) == len(set(waiting)), f"two wishes of one person: {waiting}"


def _emptied(booking: Row) -> None:
    kept = {name: getattr(booking, name) for name in PERSONAL if getattr(booking, name) not in ("", None)}
    assert not kept, f"says {kept} of somebody who is erased: {booking}"
    assert booking.state in FINAL, f"is to take place with nobody: {booking}"


def _is_unknown(snapshot: Snapshot, booking: Row) -> None:
    purposes = {link.purpose for link in snapshot.links.values() if link.booking_id == booking.id}
    assert purposes <= {"erasure"}, f"opens {purposes} of somebody who is erased: {booking}"


def check_step(before: Snapshot, after: Snapshot, *, now: datetime) -> None:
    """Raises AssertionError when a request moved as it must not, or when an erasure took too much or too little."""
    assert set(before.requests) <= set(after.requests), "a request vanished"
    for request in after.requests.values():
        was = before.requests.get(request.id)
        if was != request:
            _moved(was, request)
            if request.kind == "erasure":
                _told(before, after, was, request)
        if was is not None and was.state == "waiting" and request.state == "done":
            _carried_out(before, after, was, now=now)
    for booking in after.bookings.values():
        if booking.id not in before.bookings:
            _consent(before, after, booking)


def _moved(was: Row | None, request: Row) -> None:
    step = (was.state if was else "", request.state)
    assert step in STEPS or vars(request) == {**vars(was), "client_id": None}, f"no such step: {was} to {request}"
    assert was is None or request.deadline == was.deadline, f"the person has an answer later: {request}"


def _told(before: Snapshot, after: Snapshot, was: Row | None, request: Row) -> None:
    """Of each step that is theirs to know, once: what to prove, the day, and that it is done."""
    new = [m for m in after.messages.values() if m.id not in before.messages and m.subject_id == request.id]
    kinds = [m.kind for m in new if m.kind.startswith("erasure_")]
    has_moved = was is None or was.state != request.state
    owed = {"asked": ["erasure_requested"], "waiting": ["erasure_planned"], "done": ["erasure_done"]}
    if was is not None and was.state == "waiting":  # who never proved it is not told that it was stopped
        owed["stopped"] = ["erasure_stopped"]
    if has_moved:
        assert kinds == owed.get(request.state, []), f"told {kinds} of {request}"


def _carried_out(before: Snapshot, after: Snapshot, was: Row, *, now: datetime) -> None:
    """Not before its day, nor beside a booking or money that is open; then all of theirs, and of nobody else."""
    assert was.due_at <= now, f"before its day: {was}"
    theirs = {b.id for b in before.bookings.values() if b.client_id == was.client_id}
    for id_ in theirs:
        assert not waits_for(before, id_, now), f"erased while something is open: {before.bookings[id_]}"
        assert after.bookings[id_].purged_at == now, f"left: {after.bookings[id_]}"
    _others_stay(before.bookings, after.bookings, theirs)
    assert (before.payments, before.refunds) == (after.payments, after.refunds), "an erasure touched the books"
    new = {entry.intent for entry in after.ledger.values() if entry.id not in before.ledger}
    assert new <= {"lapse_draft"}, f"an erasure wrote {new}"
    _stands_nowhere(after, before.clients[was.client_id].email)
    assert not [row for row in after.consents.values() if row.client_id == was.client_id], "a consent is left"


def is_open(seen: Snapshot, booking_id: int) -> bool:
    """A booking that is not over, or money of it on its way back."""
    refunds = [r for payment in seen.payments_of(booking_id) for r in seen.refunds_of(payment.id)]
    is_returning = any(refund.state in ("queued", "unfinished") for refund in refunds)
    return seen.bookings[booking_id].state in ACTIVE or is_returning


def waits_for(seen: Snapshot, booking_id: int, now: datetime) -> bool:
    """What an erasure waits for."""
    return is_open(seen, booking_id) or _owes(seen, booking_id, now)


def _owes(seen: Snapshot, booking_id: int, now: datetime) -> bool:
    """A session that took place not long ago, and is not paid."""
    booking = seen.bookings[booking_id]
    if booking.state != "COMPLETED" or booking.outcome == "practice_absent" or booking.slot_end + UNPAID_FOR <= now:
        return False
    return bool(booking.amount_paise) and booking.corporate_id is None and not seen.paid(booking_id)


def _others_stay(before: Rows, after: Rows, gone: set[int]) -> None:
    for id_, row in before.items():
        assert id_ in gone or after[id_] == row, f"touched by somebody else's wish: {row}"


def _stands_nowhere(after: Snapshot, address: str) -> None:
    """But in the mail that answers."""
    rows = [row for table in vars(after).values() for row in table.values()]
    left = [row for row in rows if address in str(vars(row)) and getattr(row, "kind", "") != "erasure_done"]
    assert not left, f"{address} still stands in {left}"


def _consent(before: Snapshot, after: Snapshot, booking: Row) -> None:
    """What continues another booking keeps its consent, as it stands; a new request brings one."""
    born = after.ledger_of(booking.id)[0]
    earlier = booking.follows_id or born.details.get("instead_of")
    withdrawn_at = before.bookings[earlier].consent_withdrawn_at if born.intent in CONTINUES else None
    assert booking.consent_withdrawn_at == withdrawn_at, f"another consent than of {earlier}: {booking}"
