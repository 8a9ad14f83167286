"""What the sandbox gateway knows: orders, refunds, behaviours and undelivered webhooks, in one SQLite file."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backend.payments.gateway import (
    Capture,
    Event,
    EventKind,
    Order,
    OrderReport,
    OrderState,
    RefundOrder,
    RefundOrderState,
    RefundReport,
    SettledItem,
)
from backend.payments.sandbox.wire import Behaviour, Instruction
from backend.payments.written import write

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    reference TEXT PRIMARY KEY, gateway_order_id TEXT NOT NULL, amount_paise INTEGER NOT NULL, currency TEXT NOT NULL,
    state TEXT NOT NULL, capture_id TEXT NOT NULL DEFAULT '', due_at REAL, captured_at REAL
);
CREATE TABLE IF NOT EXISTS refunds (
    reference TEXT PRIMARY KEY, gateway_refund_id TEXT NOT NULL, payment_reference TEXT NOT NULL,
    amount_paise INTEGER NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL, due_at REAL, made_at REAL
);
CREATE TABLE IF NOT EXISTS behaviours (
    reference TEXT PRIMARY KEY, behaviour TEXT NOT NULL, seconds REAL NOT NULL, set_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS webhooks (
    event_id TEXT PRIMARY KEY, body BLOB NOT NULL, created_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL
);
CREATE INDEX IF NOT EXISTS orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS webhooks_due ON webhooks (next_at) WHERE next_at IS NOT NULL;
"""  # due_at: a LATE one happens then; next_at: sent then, NULL once delivered or given up. All Unix seconds.
_ADDED = {"orders": "captured_at", "refunds": "made_at"}  # to files that are older than these columns

_EVERY_ORDER = ""  # the behaviour of orders that have none of their own


class Unknown(Exception):
    """No such order."""


class Conflict(Exception):
    """The reference exists with other content."""


@dataclass(frozen=True)
class Webhook:
    """A report not yet delivered: the bytes to send, since when, and how often it was tried."""

    event_id: str
    body: bytes
    created_at: float
    attempts: int


class Store:
    """The sandbox's memory. Every method is one transaction that survives `kill -9`; `now` is Unix seconds."""

    def __init__(self, path: Path) -> None:
        self.reported = threading.Event()  # set when there is a new webhook to send
        self._lock = threading.Lock()  # one connection serves all threads, one at a time
        self._db = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)
        for table, column in _ADDED.items():
            if column not in {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} REAL")

    def close(self) -> None:
        """Wait for the transaction in hand, then close the file for good."""
        self._lock.acquire()  # never released: a request that still comes waits for the end instead of crashing
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:  # the connection commits, or rolls back what raised
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    # -- behaviours ---------------------------------------------------------------------------------------------------

    def instruct(self, reference: str | None, instruction: Instruction, now: float) -> Instruction:
        """Set the behaviour of one order, known or not, or of all that have none of their own (None)."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO behaviours VALUES (?, ?, ?, ?)",
                (reference or _EVERY_ORDER, instruction.behaviour, instruction.seconds, now),
            )
        return instruction

    def instruction(self, reference: str, now: float) -> Instruction:
        """What to do with an ask about this order; an UNREACHABLE whose span has passed is over."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT * FROM behaviours WHERE reference IN (?, ?) ORDER BY length(reference) DESC LIMIT 1",
                (reference, _EVERY_ORDER),
            ).fetchone()
        if row is None or (row["behaviour"] == Behaviour.UNREACHABLE and now >= row["set_at"] + row["seconds"]):
            return Instruction(Behaviour.CAPTURE, 0)
        return Instruction(Behaviour(row["behaviour"]), row["seconds"])

    # -- orders -------------------------------------------------------------------------------------------------------

    def open_order(self, order: Order) -> OrderReport:
        """(nothing) → OPEN, or the order as it is. Raises `Conflict`."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO orders (reference, gateway_order_id, amount_paise, currency, state)"
                " VALUES (?, ?, ?, ?, ?)",
                (order.reference, _new_id("ord"), order.amount_paise, order.currency, OrderState.OPEN),
            )
            report = _order(db, order.reference)
        if (report.amount_paise, report.currency) != (order.amount_paise, order.currency):
            raise Conflict(f"order {order.reference} exists with another amount")
        return report

    def order(self, reference: str) -> OrderReport:
        """The order as it is. Raises `Unknown`."""
        with self._transaction() as db:
            return _order(db, reference)

    def complete(self, reference: str, instruction: Instruction, now: float) -> OrderReport:
        """OPEN → CAPTURED | DECLINED, or OPEN until `seconds` after the first such ask. Raises `Unknown`."""
        with self._transaction() as db:
            if _order(db, reference).state != OrderState.OPEN:
                pass  # the first answer stands
            elif instruction.behaviour == Behaviour.DECLINE:
                self._decline(db, reference, now)
            elif instruction.behaviour == Behaviour.LATE:
                due_at = now + instruction.seconds
                db.execute("UPDATE orders SET due_at = ? WHERE reference = ? AND due_at IS NULL", (due_at, reference))
            else:
                self._capture(db, reference, now)
            return _order(db, reference)

    def capture(self, reference: str, now: float) -> OrderReport:
        """OPEN | DECLINED → CAPTURED: the visitor pays by the bank's page, perhaps at the second try."""
        with self._transaction() as db:
            _order(db, reference)
            self._capture(db, reference, now)
            return _order(db, reference)

    def _capture(self, db: sqlite3.Connection, reference: str, now: float) -> None:
        captured = db.execute(
            "UPDATE orders SET state = ?, capture_id = ?, captured_at = ?, due_at = NULL"
            " WHERE reference = ? AND state != ?",
            (OrderState.CAPTURED, _new_id("cap"), now, reference, OrderState.CAPTURED),
        )
        if captured.rowcount:
            self._report(db, EventKind.ORDER_CAPTURED, _order(db, reference), now)

    def _decline(self, db: sqlite3.Connection, reference: str, now: float) -> None:
        db.execute("UPDATE orders SET state = ?, due_at = NULL WHERE reference = ?", (OrderState.DECLINED, reference))
        self._report(db, EventKind.ORDER_DECLINED, _order(db, reference), now)

    # -- refunds ------------------------------------------------------------------------------------------------------

    def refund(self, refund: RefundOrder, instruction: Instruction, now: float) -> RefundReport:
        """(nothing) → DONE | PENDING | REFUSED, or the refund as it is. Raises `Unknown` order, `Conflict`."""
        with self._transaction() as db:
            row = db.execute("SELECT * FROM refunds WHERE reference = ?", (refund.reference,)).fetchone()
            if row is None:
                self._begin_refund(db, refund, instruction, now)
            elif (row["payment_reference"], row["amount_paise"], row["currency"]) != (
                refund.payment_reference,
                refund.amount_paise,
                refund.currency,
            ):
                raise Conflict(f"refund {refund.reference} exists with other content")
            return _refund(db, refund.reference)

    def _begin_refund(self, db: sqlite3.Connection, refund: RefundOrder, instruction: Instruction, now: float) -> None:
        due_at = now + instruction.seconds if instruction.behaviour == Behaviour.LATE else None
        db.execute(
            "INSERT INTO refunds"
            " (reference, gateway_refund_id, payment_reference, amount_paise, currency, state, due_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                refund.reference,
                _new_id("rfd"),
                refund.payment_reference,
                refund.amount_paise,
                refund.currency,
                RefundOrderState.PENDING,
                due_at,
            ),
        )
        if instruction.behaviour == Behaviour.DECLINE or not _is_covered(db, refund):
            self._settle_refund(db, refund.reference, RefundOrderState.REFUSED, now)
        elif instruction.behaviour != Behaviour.LATE:
            self._settle_refund(db, refund.reference, RefundOrderState.DONE, now)

    def _settle_refund(self, db: sqlite3.Connection, reference: str, state: RefundOrderState, now: float) -> None:
        made_at = now if state == RefundOrderState.DONE else None
        db.execute(
            "UPDATE refunds SET state = ?, made_at = ?, due_at = NULL WHERE reference = ?", (state, made_at, reference)
        )
        kind = EventKind.REFUND_DONE if state == RefundOrderState.DONE else EventKind.REFUND_REFUSED
        self._report(db, kind, _refund(db, reference), now)

    def refunds_of(self, reference: str) -> list[RefundReport]:
        """All refunds of an order, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT reference FROM refunds WHERE payment_reference = ? ORDER BY rowid", (reference,)
            ).fetchall()
            return [_refund(db, row["reference"]) for row in rows]

    # -- listings -----------------------------------------------------------------------------------------------------

    def captures_since(self, since: float) -> list[OrderReport]:
        """Every order captured at or after `since`, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT reference FROM orders WHERE captured_at >= ? ORDER BY captured_at", (since,)
            ).fetchall()
            return [_order(db, row["reference"]) for row in rows]

    def settled_between(self, since: float, until: float) -> list[SettledItem]:
        """What moved in that span: the sandbox pays out at once and keeps nothing of it."""
        with self._transaction() as db:
            captures = db.execute(
                "SELECT 'payment', capture_id, reference, amount_paise, currency, captured_at FROM orders"
                " WHERE captured_at >= ? AND captured_at < ? ORDER BY captured_at",
                (since, until),
            ).fetchall()
            refunds = db.execute(
                "SELECT 'refund', gateway_refund_id, reference, -amount_paise, currency, made_at FROM refunds"
                " WHERE made_at >= ? AND made_at < ? ORDER BY made_at",
                (since, until),
            ).fetchall()
        return [_settled(*row) for row in [*captures, *refunds]]

    # -- what happens by itself ---------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Capture and refund what was LATE and is due."""
        with self._transaction() as db:
            for (reference,) in db.execute("SELECT reference FROM orders WHERE due_at <= ?", (now,)).fetchall():
                self._capture(db, reference, now)
            for (reference,) in db.execute("SELECT reference FROM refunds WHERE due_at <= ?", (now,)).fetchall():
                self._settle_refund(db, reference, RefundOrderState.DONE, now)

    # -- webhooks -----------------------------------------------------------------------------------------------------

    def _report(self, db: sqlite3.Connection, kind: EventKind, report: OrderReport | RefundReport, now: float) -> None:
        # made of the fact, so that a fact has one id for ever
        event_id = "evt_" + hashlib.sha256(f"{kind}:{report.reference}".encode()).hexdigest()[:24]
        if isinstance(report, OrderReport):
            event = Event(event_id, kind, report, None)
        else:
            event = Event(event_id, kind, None, report)
        db.execute(
            "INSERT INTO webhooks (event_id, body, created_at, next_at) VALUES (?, ?, ?, ?)",
            (event_id, json.dumps(write(event)).encode(), now, now),
        )
        self.reported.set()

    def due_webhooks(self, now: float) -> list[Webhook]:
        """Up to 20 webhooks to send now, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT event_id, body, created_at, attempts FROM webhooks WHERE next_at <= ?"
                " ORDER BY next_at, rowid LIMIT 20",
                (now,),
            ).fetchall()
        return [Webhook(*row) for row in rows]

    def tried(self, webhook: Webhook, next_at: float | None) -> None:
        """Record one attempt: send again at `next_at`, or never (None: delivered, or given up)."""
        with self._transaction() as db:
            db.execute(
                "UPDATE webhooks SET attempts = attempts + 1, next_at = ? WHERE event_id = ?",
                (next_at, webhook.event_id),
            )


def _order(db: sqlite3.Connection, reference: str) -> OrderReport:
    row = db.execute("SELECT * FROM orders WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        raise Unknown(f"no order {reference}")
    return OrderReport(
        reference=row["reference"],
        gateway_order_id=row["gateway_order_id"],
        state=OrderState(row["state"]),
        amount_paise=row["amount_paise"],
        currency=row["currency"],
        capture_id=row["capture_id"],
        capture=Capture(captured_at=_moment(row["captured_at"])),
    )


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _refund(db: sqlite3.Connection, reference: str) -> RefundReport:
    row = db.execute("SELECT * FROM refunds WHERE reference = ?", (reference,)).fetchone()
    return RefundReport(reference, row["gateway_refund_id"], RefundOrderState(row["state"]), row["amount_paise"])


def _is_covered(db: sqlite3.Connection, refund: RefundOrder) -> bool:
    """Whether the capture covers this refund, already inserted, and all others not refused. Raises `Unknown`."""
    order = _order(db, refund.payment_reference)
    (asked_paise,) = db.execute(
        "SELECT SUM(amount_paise) FROM refunds WHERE payment_reference = ? AND state != ?",
        (refund.payment_reference, RefundOrderState.REFUSED),
    ).fetchone()
    is_same_currency = order.currency == refund.currency
    return order.state == OrderState.CAPTURED and is_same_currency and asked_paise <= order.amount_paise


def _settled(kind: str, gateway_id: str, reference: str, paise: int, currency: str, at: float) -> SettledItem:
    moment = datetime.fromtimestamp(at, UTC)
    payout = f"set_{moment:%Y%m%d}"
    return SettledItem(kind, gateway_id, reference, paise, 0, 0, currency, payout, payout, moment)


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(8)}"
