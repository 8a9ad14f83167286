"""What must hold of each step: what may change, what never does, and how a session moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.model.availability import time_to_pay
from tests.model.invariants import FINAL
from tests.model.snapshot import Row, Rows, Snapshot

LINKS_KEPT = timedelta(days=30)
NOTICE = timedelta(hours=24)  # that visitors give, and that offered times keep
WISH = ("preferred_date", "preferred_period", "preferred_psychologist_id", "preferred_slot_start")


def check(before: Snapshot, after: Snapshot, *, now: datetime) -> None:
    """Raises AssertionError when the step from `before` to `after` broke the design."""
    _nothing_vanished(before, after, now=now)
    _spent_stays_spent(before, after)
    for booking in after.bookings.values():
        was = before.bookings.get(booking.id)
        written = after.ledger_of(booking.id)[was.ledger_sequence if was else 0 :]
        if was is not None:
            _state_moved_by_ledger(was, booking, written)
            _final_stays_final(was, booking, written)
            _time_to_pay(was, booking, written, now=now)
            _wish(was, booking)
            _move(before, after, was, written, now=now)
        _outcome(booking, written)
        _slot_ahead(was, booking, now=now)


def _nothing_vanished(before: Snapshot, after: Snapshot, *, now: datetime) -> None:
    """The ledger is append-only; bookings, money and messages stay; a capture stays, unless the desk erred."""
    assert _same(before.ledger, after.ledger), "the ledger was rewritten"
    assert _same(before.inbox, after.inbox), "the inbox was rewritten"
    for name in ("bookings", "payments", "refunds", "messages", "alternatives", "time_off"):
        gone = set(getattr(before, name)) - set(getattr(after, name)) - _unoffered(before, after, name)
        assert not gone, f"{name} vanished: {gone}"
    for payment in before.payments.values():
        if payment.state == "captured":
            then = after.payments[payment.id]
            is_voided = (payment.method, then.state) == ("desk", "voided")
            kept = {**vars(payment), **({"state": then.state, "closed_at": then.closed_at} if is_voided else {})}
            kept["compared_at"] = then.compared_at
            if then.is_unexpected and before.rest(payment.booking_id):  # a part; all of the sum came otherwise
                kept["is_unexpected"] = True
            assert vars(then) == kept, f"a capture was rewritten: {payment}"
    for alternative in before.alternatives.values():
        if alternative.taken_by_id is not None:
            assert after.alternatives[alternative.id] == alternative, f"taken again: {alternative}"
    for refund in before.refunds.values():
        if refund.state == "done":
            assert after.refunds[refund.id] == refund, f"a refund was rewritten: {refund}"
    owners = {booking.client_id for booking in after.bookings.values()}
    assert owners <= {*after.clients, None}
    for link in before.links.values():
        is_over = link.expires_at is not None and link.expires_at <= now - LINKS_KEPT
        is_erased = after.bookings[link.booking_id].client_id is None and link.purpose != "erasure"
        was_mailed = all(m.uuid != link.message_uuid or m.may_have_left for m in after.messages.values())
        assert link.id in after.links or is_over or not was_mailed or is_erased, f"a link vanished: {link}"


def _unoffered(before: Snapshot, after: Snapshot, name: str) -> set[int]:
    """The times of a rejection that was undone, of which nobody was told."""
    if name != "alternatives":
        return set()
    return {row.id for row in before.alternatives.values() if after.bookings[row.booking_id].state == "PENDING"}


def _same(before: Rows, after: Rows) -> bool:
    return all(after.get(key) == row for key, row in before.items())


def _spent_stays_spent(before: Snapshot, after: Snapshot) -> None:
    for link in before.links.values():
        still = after.links.get(link.id)
        if link.spent_at is not None and still is not None:
            assert still == link, f"a spent link came back: {link} as {still}"


def _state_moved_by_ledger(was: Row, booking: Row, written: list[Row]) -> None:
    """No transition without its ledger row."""
    if was.state != booking.state:
        assert any(entry.source != entry.target for entry in written), f"moved in silence: {was} to {booking}"


def _final_stays_final(was: Row, booking: Row, written: list[Row]) -> None:
    """Only money that came late brings a booking back, one that was not paid in time; or staff undo what closed it."""
    if was.state not in FINAL or was.state == booking.state or is_undone(written):
        return
    assert (was.reason, booking.state) == ("payment_timed_out", "CONFIRMED"), f"came back: {was} as {booking}"
    assert [entry.intent for entry in written] == ["record_late_capture"], f"came back by {written}"


def _time_to_pay(was: Row, booking: Row, written: list[Row], *, now: datetime) -> None:
    """Set by approval, shortened by a move, extended by staff after an outage; nothing else touches it."""
    intents = {entry.intent for entry in written}
    if "reschedule" in intents and booking.state in ("APPROVED", "PAYMENT_PENDING"):
        by_formula = time_to_pay(booking.slot_start, now=now, is_follow_up=booking.follows_id is not None)
        expected = min(was.pay_by, by_formula) if was.choose_by is None else by_formula
        assert booking.pay_by == expected, f"another time to pay: {was} to {booking}"
    elif was.pay_by != booking.pay_by and not (is_undone(written) and booking.pay_by is None):
        assert intents & {"approve", "extend_deadline", "offer_choice"}, f"the time to pay changed by {intents}"


def is_undone(written: list[Row]) -> bool:
    """The step took back what the last one had settled."""
    return [entry.intent for entry in written] == ["undo_decision"]


def _wish(was: Row, booking: Row) -> None:
    """What the visitor asked for stays beside what was settled."""
    for name in WISH:
        assert getattr(was, name) == getattr(booking, name), f"another {name}: {was} to {booking}"


def _move(before: Snapshot, after: Snapshot, was: Row, written: list[Row], *, now: datetime) -> None:
    """In place: the same claim, price and length; what spoke of the old time works no longer."""
    booking = after.bookings[was.id]
    moved = [entry for entry in written if entry.intent == "reschedule"]
    if not moved:
        same = (was.slot_start, was.moves_by_visitor, was.moved_by_staff_at)
        settled = (booking.slot_start, booking.moves_by_visitor, booking.moved_by_staff_at)
        if any(entry.intent == "offer_choice" for entry in written):
            same = (was.slot_start, was.moves_by_visitor, now)
        is_open_again = is_undone(written) and booking.state == "PENDING"
        assert was.slot_start is None or settled == same or is_open_again, f"moved in silence: {was} to {booking}"
        return
    (entry,) = moved
    assert [row.id for row in _claims(before, was)] == [row.id for row in _claims(after, was)], f"let go: {was}"
    assert (booking.state, booking.amount_paise) == (was.state, was.amount_paise), f"{was} moved to {booking}"
    is_visitors = entry.actor == "visitor"
    is_counted = is_visitors and was.choose_by is None
    assert booking.choose_by is None, f"to be chosen after the move: {booking}"
    assert booking.moves_by_visitor == was.moves_by_visitor + is_counted, f"{entry} counted otherwise: {booking}"
    assert booking.moved_by_staff_at == (was.moved_by_staff_at if is_visitors else now), f"moved by {entry.actor}"
    if is_visitors:
        assert now <= was.slot_start - NOTICE or was.choose_by is not None, f"moved too late: {was}"
        assert now <= booking.slot_start - NOTICE, f"moved too near: {booking}"
        assert booking.slot_end - booking.slot_start == was.slot_end - was.slot_start, f"another length: {booking}"
    for purpose in ("reschedule", "cancel_late"):
        links = [link for link in after.links_for(purpose) if link.booking_id == was.id]
        new = [link for link in links if link.id not in before.links]
        assert {link.expires_at for link in new} == {booking.slot_start}, f"{purpose} links of the move: {new}"
        for link in links:
            is_over = link.spent_at is not None or link.expires_at <= now
            assert link in new or is_over, f"works after the move: {link}"


def _claims(seen: Snapshot, booking: Row) -> list[Row]:
    return [claim for claim in seen.claims.values() if claim.booking_id == booking.id]


def _outcome(booking: Row, written: list[Row]) -> None:
    """What is recorded of a session was not said of another time."""
    if any(entry.intent == "reschedule" for entry in written):
        assert booking.outcome == "unrecorded", f"expected before it takes place: {booking}"


def _slot_ahead(was: Row | None, booking: Row, *, now: datetime) -> None:
    """A slot that is newly promised has not begun."""
    if was is not None and booking.slot_start not in (None, was.slot_start):
        assert booking.slot_start > now, f"a slot that has begun was promised: {booking}"
