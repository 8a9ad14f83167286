"""What must hold of each step: what may change, what never does, and that every mail that is owed is written."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.model import owed
from tests.model.invariants import FINAL
from tests.model.picture import Picture, Row, Rows

LINKS_KEPT = timedelta(days=30)


def check(before: Picture, after: Picture, *, now: datetime) -> None:
    """Raises AssertionError when the step from `before` to `after` broke the design."""
    _nothing_vanished(before, after, now=now)
    _spent_stays_spent(before, after)
    for booking in after.bookings.values():
        was = before.bookings.get(booking.id)
        written = after.ledger_of(booking.id)[was.ledger_sequence if was else 0 :]
        if was is not None:
            _state_moved_by_ledger(was, booking, written)
            _final_stays_final(was, booking, written)
            _time_to_pay(was, booking, written)
        _outcome(booking, written)
        _slot_ahead(was, booking, now=now)
    owed.check(before, after, now=now)


def _nothing_vanished(before: Picture, after: Picture, *, now: datetime) -> None:
    """The ledger is append-only; bookings, money and messages stay; a capture stays what it was."""
    assert _same(before.ledger, after.ledger), "the ledger was rewritten"
    assert _same(before.inbox, after.inbox), "the inbox was rewritten"
    for name in ("bookings", "payments", "refunds", "messages"):
        gone = set(getattr(before, name)) - set(getattr(after, name))
        assert not gone, f"{name} vanished: {gone}"
    for payment in before.payments.values():
        if payment.state == "captured":
            assert after.payments[payment.id] == payment, f"a capture was rewritten: {payment}"
    for refund in before.refunds.values():
        if refund.state == "done":
            assert after.refunds[refund.id] == refund, f"a refund was rewritten: {refund}"
    owners = {booking.client_id for booking in after.bookings.values()}
    assert owners <= {*after.clients, None}
    for link in before.links.values():
        kept = link.id in after.links or (link.expires_at is not None and link.expires_at <= now - LINKS_KEPT)
        assert kept, f"a link vanished: {link}"


def _same(before: Rows, after: Rows) -> bool:
    return all(after.get(key) == row for key, row in before.items())


def _spent_stays_spent(before: Picture, after: Picture) -> None:
    for link in before.links.values():
        still = after.links.get(link.id)
        if link.spent_at is not None and still is not None:
            assert still == link, f"a spent link came back: {link} as {still}"


def _state_moved_by_ledger(was: Row, booking: Row, written: list[Row]) -> None:
    """No transition without its ledger row."""
    if was.state != booking.state:
        assert any(entry.source != entry.target for entry in written), f"moved in silence: {was} to {booking}"


def _final_stays_final(was: Row, booking: Row, written: list[Row]) -> None:
    """Only money that came late brings a booking back, and only one that was not paid in time."""
    if was.state not in FINAL or was.state == booking.state:
        return
    assert (was.reason, booking.state) == ("payment_timed_out", "CONFIRMED"), f"came back: {was} as {booking}"
    assert [entry.intent for entry in written] == ["record_late_capture"], f"came back by {written}"


def _time_to_pay(was: Row, booking: Row, written: list[Row]) -> None:
    """Set by approval, shortened by a move, extended by staff after an outage; nothing else touches it."""
    if was.pay_by == booking.pay_by:
        return
    intents = {entry.intent for entry in written}
    if "reschedule" in intents:
        assert booking.pay_by < was.pay_by, f"a move lengthened the time to pay: {was} to {booking}"
    else:
        assert intents & {"approve", "extend_deadline"}, f"the time to pay changed by {intents}"


def _outcome(booking: Row, written: list[Row]) -> None:
    """What is recorded of a session was not said of another time."""
    if any(entry.intent == "reschedule" for entry in written):
        assert booking.outcome == "unrecorded", f"judged before it takes place: {booking}"


def _slot_ahead(was: Row | None, booking: Row, *, now: datetime) -> None:
    """A slot that is newly promised has not begun."""
    if was is not None and was.slot_start != booking.slot_start:
        assert booking.slot_start > now, f"a slot that has begun was promised: {booking}"
