"""What must hold between bookings and what they came from: rejections, last sessions, links that act."""

from __future__ import annotations

from datetime import timedelta

from tests.model.snapshot import Row, Snapshot

TREATED = ("CONFIRMED", "COMPLETED")
HOLDS_SLOT = ("APPROVED", "PAYMENT_PENDING", "CONFIRMED")
OFFERED_FOR = timedelta(hours=48)
MOVES_MOST = 2
OFFERS_MOST = 3


def check(snapshot: Snapshot) -> None:
    """Raises AssertionError when a booking, an offered time or a link contradicts what it came from."""
    for alternative in snapshot.alternatives.values():
        _alternative(snapshot, alternative)
    for booking in snapshot.bookings.values():
        _origin(snapshot, booking)
        _moves(snapshot, booking)
    for link in snapshot.links_for("alternative"):
        _offer(snapshot, link)


def _alternative(snapshot: Snapshot, alternative: Row) -> None:
    """Offered by a rejection, and taken once at most; what came of it is what was offered."""
    rejected = snapshot.bookings[alternative.booking_id]
    siblings = [row for row in snapshot.alternatives.values() if row.booking_id == rejected.id]
    assert rejected.state == "REJECTED", f"offered beside {rejected}"
    assert sorted(row.number for row in siblings) == list(range(1, len(siblings) + 1)), f"numbers: {siblings}"
    assert len(siblings) <= OFFERS_MOST, f"no help to choose from: {siblings}"
    assert sum(row.taken_by_id is not None for row in siblings) <= 1, f"taken twice: {siblings}"
    if alternative.taken_by_id is None:
        return
    booking = snapshot.bookings[alternative.taken_by_id]
    born = snapshot.ledger_of(booking.id)[0]
    assert (born.intent, born.target, booking.origin) == ("take_alternative", "APPROVED", "visitor")
    assert born.details["instead_of"] == rejected.id, f"instead of another: {born}"
    assert booking.amount_paise == alternative.amount_paise, f"another price than offered: {booking}"
    assert (booking.client_id, booking.email) == (rejected.client_id, rejected.email)
    if booking.moved_by_staff_at is None and booking.moves_by_visitor == 0:
        assert (booking.psychologist_id, booking.slot_start, booking.slot_end) == (
            alternative.psychologist_id,
            alternative.slot_start,
            alternative.slot_end,
        ), f"another time than offered: {booking}"


def _offer(snapshot: Snapshot, link: Row) -> None:
    """One for each time, for 48 h and never past its start; they end together, and only one was ever used."""
    alternative = snapshot.alternatives[link.alternative_id]
    assert alternative.booking_id == link.booking_id, f"offers another's time: {link}"
    taken = [row for row in snapshot.alternatives.values() if row.booking_id == link.booking_id and row.taken_by_id]
    until = min(link.created_at + OFFERED_FOR, alternative.slot_start)
    if link.spent_at is not None:
        assert taken == [alternative], f"used for nothing: {link}"
    elif taken:
        taken_at = snapshot.bookings[taken[0].taken_by_id].created_at
        assert link.expires_at <= taken_at, f"a sibling outlived its use: {link}"
    else:
        assert link.expires_at == until, f"offered until another time: {link}"


def _origin(snapshot: Snapshot, booking: Row) -> None:
    """How it was born says whose it is."""
    born = snapshot.ledger_of(booking.id)[0]
    is_staffs = born.intent in ("create_by_staff", "book_follow_up")
    assert booking.origin == ("staff" if is_staffs else "visitor"), f"{born} made {booking}"
    assert (born.intent == "book_follow_up") == (booking.follows_id is not None), f"{born} made {booking}"
    if born.target == "APPROVED":
        assert any(row.taken_by_id == booking.id for row in snapshot.alternatives.values()), f"approved by none: {born}"
    if booking.follows_id is not None:
        last = snapshot.bookings[booking.follows_id]
        passed = [entry.target for entry in snapshot.ledger_of(last.id)]
        assert set(passed) & set(TREATED), f"follows what never was: {last}"
        assert (booking.client_id, booking.email, booking.mode) == (last.client_id, last.email, last.mode)
        assert booking.user_message == "", f"the first one's message went on: {booking}"


def _moves(snapshot: Snapshot, booking: Row) -> None:
    """Twice at most, each by a link of its own; as long as the slot is held, one link of the newest mail works."""
    found = [link for link in snapshot.links_for("reschedule") if link.booking_id == booking.id]
    assert booking.moves_by_visitor <= MOVES_MOST, f"moved too often: {booking}"
    chosen = [e for e in snapshot.ledger_of(booking.id) if (e.intent, e.actor) == ("reschedule", "visitor")]
    assert len(chosen) >= booking.moves_by_visitor, f"counted otherwise: {booking}"
    assert sum(link.spent_at is not None for link in found) <= len(chosen), f"spent for nothing: {found}"
    if booking.state in HOLDS_SLOT:
        works_until = max((link.expires_at for link in found if link.spent_at is None), default=None)
        assert works_until == booking.slot_start, f"movable until {works_until}: {booking}"
