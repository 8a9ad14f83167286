"""What must hold of receipts: one of each sum that counts, one credit note of each that went back, and no gap."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from tests.model.snapshot import Row, Snapshot

TAKES = ("record_capture", "record_late_capture", "record_desk_payment")  # ledger intents


def check(seen: Snapshot) -> None:
    """Raises AssertionError when a receipt is missing, doubled, wrong or out of its series."""
    for payment in seen.payments.values():
        _of_payment(seen, payment)
    for refund in seen.refunds.values():
        _of_refund(seen, refund)
    _numbered(seen)
    owed = Counter(m.subject_id for m in seen.messages.values() if m.kind == "make_receipt")
    assert owed == Counter(seen.receipts.keys()), f"documents owed: {owed}"


def check_step(before: Snapshot, after: Snapshot) -> None:
    """Raises AssertionError when one was changed or is gone."""
    assert all(after.receipts.get(key) == row for key, row in before.receipts.items()), "a receipt was rewritten"


def _of_payment(seen: Snapshot, payment: Row) -> None:
    """Of what paid for a session, also if the desk erred, or more came after it; then a credit note takes it back."""
    ledger = seen.ledger_of(payment.booking_id)
    counts = any(e.intent in TAKES and e.details.get("payment") == payment.id for e in ledger)
    sums = [r.amount_paise for r in _receipts(seen, payment, "receipt")]
    assert sums == [payment.captured_paise] * counts, f"receipts of {sums}: {payment}"
    cancelled = [r.amount_paise for r in _receipts(seen, payment, "credit_note") if r.refund_id is None]
    assert cancelled == [payment.captured_paise] * (payment.state == "voided"), f"taken back {cancelled}: {payment}"


def _of_refund(seen: Snapshot, refund: Row) -> None:
    """Of what went back of it, and not before it did."""
    payment = seen.payments[refund.payment_id]
    has_receipt = bool(_receipts(seen, payment, "receipt"))
    notes = [r for r in _receipts(seen, payment, "credit_note") if r.refund_id == refund.id]
    assert len(notes) == (refund.state == "done" and has_receipt), f"notes {notes}: {refund}"
    for note in notes:
        (receipt,) = _receipts(seen, payment, "receipt")
        assert (note.amount_paise, note.original_id) == (refund.amount_paise, receipt.id), f"{note} of {refund}"


def _receipts(seen: Snapshot, payment: Row, kind: str) -> list[Row]:
    return [r for r in seen.receipts.values() if (r.payment_id, r.kind) == (payment.id, kind)]


def _numbered(seen: Snapshot) -> None:
    """From one, in the order in which they were written, and the series knows the next."""
    rows = sorted(seen.receipts.values(), key=lambda r: (r.kind, r.year, r.id))
    last = {place: [r.sequence for r in of_it] for place, of_it in groupby(rows, key=lambda r: (r.kind, r.year))}
    for place, taken in last.items():
        assert taken == list(range(1, len(taken) + 1)), f"{place} has {taken}"
    found = {(series.kind, series.year): series.next_number - 1 for series in seen.receipt_series.values()}
    assert found == {place: len(taken) for place, taken in last.items()}, f"series {found}"
