"""What the fake Stripe knows, and how it changes: pages are paid or declined, refunds are made, payouts leave."""

from __future__ import annotations

import copy
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

Thing = dict[str, Any]  # one of Stripe's objects

API_VERSION = "2026-10-28.endive"
DAY = 24 * 60 * 60
EXPANDABLE = ("payment_intent", "latest_charge", "balance_transaction", "source", "charge")


class How(StrEnum):
    """What a visitor does on the hosted page, and what their bank makes of it."""

    CARD = "card"  # captured at once
    UPI = "upi"  # the bank takes its time, then pays
    UPI_FAILS = "upi_fails"  # the bank takes its time, then says no
    DECLINE = "decline"  # declined at once; the page takes another try
    HOLD = "hold"  # authorised: the account captures by hand


class Refunds(StrEnum):
    """What becomes of refunds."""

    DONE = "done"
    PENDING = "pending"  # until `finish_refunds`, then done
    FAILED = "failed"  # pending until then, then failed


class Refusal(Exception):
    """What Stripe answers to an ask that it refuses."""

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **said: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, **said}


@dataclass
class Shelf:
    """The objects of one kind, oldest first; `url` is where they are listed."""

    url: str = ""
    things: dict[str, Thing] = field(default_factory=dict)

    def get(self, id_: str) -> Thing:
        try:
            return self.things[id_]
        except KeyError as error:
            raise Refusal(404, f"No such object: '{id_}'", code="resource_missing", param="id") from error

    def page(self, wanted: Callable[[Thing], bool], limit: int, after: str) -> Thing:
        """A list of Stripe's: newest first, from behind the cursor on."""
        found = list(reversed(self.things.values()))
        if after:
            self.get(after)
            found = found[[thing["id"] for thing in found].index(after) + 1 :]
        found = [thing for thing in found if wanted(thing)]
        return {
            "object": "list",
            "url": self.url,
            "data": [_shown(thing) for thing in found[:limit]],
            "has_more": len(found) > limit,
        }


class Books:
    """The account's objects. Every method is one change under the lock; instants are whole Unix seconds."""

    def __init__(self, page_url: str = "https://checkout.stripe.com") -> None:
        self.page_url = page_url
        self.lock = threading.RLock()
        self.sessions, self.refunds = Shelf("/v1/checkout/sessions"), Shelf("/v1/refunds")
        self.intents, self.charges, self.events = Shelf(), Shelf(), Shelf()
        self.booked, self.payouts = Shelf("/v1/balance_transactions"), Shelf("/v1/payouts")
        self.told = threading.Event()  # set when there is a new event
        self.refunds_become: dict[str, Refunds] = {}  # by payment intent; "" for all others
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._ends: dict[str, str] = {}  # what a pending refund becomes

    # -- what is asked for over the API --------------------------------------------------------------------------------

    def open_session(self, *, amount: int, currency: str, expires_at: int | None, reference: str, **rest: Any) -> Thing:
        now = _now()
        if expires_at is not None and not 30 * 60 <= expires_at - now <= DAY:
            raise Refusal(400, "`expires_at` must be between 30 minutes and 24 hours from now.", param="expires_at")
        session = {
            "id": f"cs_test_{secrets.token_hex(29)}",
            "object": "checkout.session",
            "amount_subtotal": amount,
            "amount_total": amount,
            "client_reference_id": reference,
            "created": now,
            "currency": currency,
            "customer": None,
            "customer_details": None,
            "expires_at": expires_at or now + DAY,
            "livemode": False,
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            **rest,
        }
        session["url"] = f"{self.page_url}/c/pay/{session['id']}#{secrets.token_hex(140)}"
        return self._keep(self.sessions, session)

    def expire(self, id_: str) -> Thing:
        with self.lock:
            self.advance()
            session = self.sessions.get(id_)
            if session["status"] != "open":
                raise Refusal(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
            self._expire(session)
            return session

    def capture(self, id_: str) -> Thing:
        with self.lock:
            intent = self.intents.get(id_)
            if intent["status"] != "requires_capture":
                raise Refusal(400, "This PaymentIntent could not be captured.", code="payment_intent_unexpected_state")
            self._take(self._session_of(intent), intent, "card")
            return intent

    def refund(self, *, intent_id: str, amount: int, metadata: dict[str, str]) -> Thing:
        with self.lock:
            intent = self.intents.get(intent_id)
            if intent["status"] != "succeeded":
                raise Refusal(
                    400, "This PaymentIntent does not have a successful charge to refund.", param="payment_intent"
                )
            charge = self.charges.get(intent["latest_charge"])
            left = charge["amount_captured"] - charge["amount_refunded"]
            if not left:
                raise Refusal(400, "Charge has already been refunded.", code="charge_already_refunded")
            if amount > left:
                raise Refusal(
                    400, f"Refund amount ({amount}) is greater than unrefunded amount ({left})", param="amount"
                )
            become = self.refunds_become.get(intent_id) or self.refunds_become.get("", Refunds.DONE)
            refund = self._keep(self.refunds, _new_refund(charge, amount, metadata, become))
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
            self._book("refund", refund, -amount)
            if become is not Refunds.DONE:
                self._ends[refund["id"]] = "succeeded" if become is Refunds.PENDING else "failed"
            self._tell("charge.refunded", charge)
            self._tell("refund.created", refund)
            return refund

    # -- what visitors, banks and the account do -----------------------------------------------------------------------

    def pay(self, session_id: str, how: How = How.CARD, seconds: float = 0) -> bool:
        """A visitor on the page; `seconds` is what a bank takes that takes its time. False: the page takes no money."""
        with self.lock:
            self.advance()
            session = self.sessions.get(session_id)
            if session["status"] != "open":
                return False
            intent = self._intent_of(session)
            match how:
                case How.CARD:
                    session["status"] = "complete"
                    self._take(session, intent, "card")
                case How.DECLINE:
                    self._decline(intent)
                case How.HOLD:
                    session["status"] = "complete"
                    intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
                    self._charge(intent, "card", "succeeded")
                    self._tell("payment_intent.amount_capturable_updated", intent)
                    self._tell("checkout.session.completed", session)
                case How.UPI | How.UPI_FAILS:
                    self._begin_slow(session, intent, how, seconds)
            return True

    def finish_refunds(self) -> None:
        """What pends is done now, or fails, and then the money is the account's again."""
        with self.lock:
            for id_, end in self._ends.items():
                refund = self.refunds.get(id_)
                refund["status"] = end
                if end == "failed":
                    refund["failure_reason"] = "expired_or_canceled_card"
                    charge = self.charges.get(refund["charge"])
                    charge["amount_refunded"] -= refund["amount"]
                    charge["refunded"] = False
                    self._book("refund_failure", refund, refund["amount"])
                    self._tell("refund.failed", refund)
                self._tell("refund.updated", refund)
            self._ends.clear()

    def settle(self, day: date) -> str:
        """Pay out all that was booked and not yet paid out, to arrive on `day`. The payout's id."""
        with self.lock:
            items = [item for item in self.booked.things.values() if item["_payout"] is None]
            payout = self._keep(
                self.payouts,
                {
                    "id": f"po_{secrets.token_hex(12)}",
                    "object": "payout",
                    "amount": sum(item["net"] for item in items),
                    "arrival_date": int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()),
                    "automatic": True,
                    "created": _now(),
                    "currency": "inr",
                    "status": "paid",
                    "trace_id": {"status": "supported", "value": f"UTR{secrets.randbelow(10**12):012d}"},
                },
            )
            self._book("payout", payout, -payout["amount"])
            for item in self.booked.things.values():
                item["_payout"] = item["_payout"] or payout["id"]
            self._tell("payout.paid", payout)
            return payout["id"]

    def advance(self) -> None:
        """Let happen what is due: pages expire, banks speak."""
        with self.lock:
            now = time.time()
            due = [act for at, act in self._due if at <= now]
            self._due = [(at, act) for at, act in self._due if at > now]
            for act in due:
                act()
            for session in self.sessions.things.values():
                if session["status"] == "open" and session["expires_at"] <= now:
                    self._expire(session)

    # -- how it is written down ----------------------------------------------------------------------------------------

    def full(self, thing: Thing, expand: list[str]) -> Thing:
        """A copy, with what `expand` names by paths in place of ids."""
        with self.lock:
            made = _shown(thing)
            for path in expand:
                self._expand(made, path.split("."))
            return made

    def _expand(self, thing: Thing, path: list[str]) -> None:
        name, *rest = path
        value = thing.get(name)
        if isinstance(value, list):
            for each in value:
                self._expand(each, rest)
            return
        if name not in EXPANDABLE:
            raise Refusal(400, f"This property cannot be expanded ({name}).")
        if isinstance(value, str):
            value = thing[name] = _shown(self._find(value))
        if rest and value is not None:
            self._expand(value, rest)

    def _find(self, id_: str) -> Thing:
        for shelf in (self.intents, self.charges, self.booked, self.refunds, self.payouts):
            if id_ in shelf.things:
                return shelf.things[id_]
        raise Refusal(404, f"No such object: '{id_}'", code="resource_missing")

    def _keep(self, shelf: Shelf, thing: Thing) -> Thing:
        with self.lock:
            shelf.things[thing["id"]] = thing
            return thing

    def _tell(self, kind: str, thing: Thing) -> None:
        """An event is a snapshot of its moment."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": _now(),
            "data": {"object": self.full(thing, [])},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self._keep(self.events, event)
        self.told.set()

    def _intent_of(self, session: Thing) -> Thing:
        """Made when the visitor first tries to pay, as Stripe does since 2022."""
        if session["payment_intent"] is not None:
            return self.intents.get(session["payment_intent"])
        intent = {
            "id": f"pi_{secrets.token_hex(12)}",
            "object": "payment_intent",
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_received": 0,
            "created": _now(),
            "currency": session["currency"],
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": dict(session["_intent_metadata"]),
            "status": "requires_payment_method",
        }
        session["payment_intent"] = intent["id"]
        return self._keep(self.intents, intent)

    def _session_of(self, intent: Thing) -> Thing:
        return next(each for each in self.sessions.things.values() if each["payment_intent"] == intent["id"])

    def _charge(self, intent: Thing, means: str, status: str) -> Thing:
        charge = {
            "id": f"{'py' if means == 'upi' else 'ch'}_{secrets.token_hex(12)}",
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "captured": False,
            "created": _now(),
            "currency": intent["currency"],
            "metadata": dict(intent["metadata"]),
            "paid": status == "succeeded",
            "payment_intent": intent["id"],
            "payment_method_details": {"type": means, means: {}},
            "refunded": False,
            "status": status,
        }
        intent["latest_charge"] = charge["id"]
        return self._keep(self.charges, charge)

    def _take(self, session: Thing, intent: Thing, means: str) -> None:
        """The money is the account's."""
        held = intent["status"] in ("requires_capture", "processing")
        charge = self.charges.get(intent["latest_charge"]) if held else self._charge(intent, means, "succeeded")
        charge |= {"captured": True, "amount_captured": intent["amount"], "status": "succeeded", "paid": True}
        intent |= {"amount_received": intent["amount"], "amount_capturable": 0, "last_payment_error": None}
        was_slow = intent["status"] == "processing"
        intent["status"] = "succeeded"
        session |= {"payment_status": "paid", "url": None}
        self._book("payment" if means == "upi" else "charge", charge, charge["amount_captured"])
        self._tell("payment_intent.succeeded", intent)
        self._tell("charge.succeeded", charge)
        self._tell(f"checkout.session.{'async_payment_succeeded' if was_slow else 'completed'}", session)

    def _decline(self, intent: Thing) -> None:
        intent |= {
            "status": "requires_payment_method",
            "last_payment_error": {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"},
        }
        self._charge(intent, "card", "failed")
        self._tell("payment_intent.payment_failed", intent)

    def _begin_slow(self, session: Thing, intent: Thing, how: How, seconds: float) -> None:
        session |= {"status": "complete", "url": None}
        intent["status"] = "processing"
        self._charge(intent, "upi", "pending")
        self._tell("payment_intent.processing", intent)
        self._tell("checkout.session.completed", session)

        def speak() -> None:
            if how is How.UPI:
                self._take(session, intent, "upi")
                return
            self.charges.get(intent["latest_charge"])["status"] = "failed"
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"type": "card_error", "code": "payment_intent_payment_attempt_failed"}
            self._tell("payment_intent.payment_failed", intent)
            self._tell("checkout.session.async_payment_failed", session)

        self._due.append((time.time() + seconds, speak))

    def _expire(self, session: Thing) -> None:
        session |= {"status": "expired", "url": None}
        if session["payment_intent"] is not None:
            self.intents.get(session["payment_intent"])["status"] = "canceled"
        self._tell("checkout.session.expired", session)

    def _book(self, kind: str, source: Thing, amount: int) -> None:
        """Of what comes in two percent are kept, and eighteen percent tax on them."""
        kept = round(amount * 0.02) if kind in ("charge", "payment") else 0
        tax = round(kept * 0.18)
        booked = {
            "id": f"txn_{secrets.token_hex(12)}",
            "object": "balance_transaction",
            "amount": amount,
            "available_on": _now(),
            "created": _now(),
            "currency": "inr",
            "fee": kept + tax,
            "fee_details": [
                {"amount": kept, "currency": "inr", "description": "Stripe processing fees", "type": "stripe_fee"},
                {"amount": tax, "currency": "inr", "description": "GST", "type": "tax"},
            ][: 2 if kept else 0],
            "net": amount - kept - tax,
            "_payout": None,
            "source": source["id"],
            "status": "available",
            "type": kind,
        }
        if kind != "payout":
            source["balance_transaction"] = booked["id"]
        self._keep(self.booked, booked)


def _new_refund(charge: Thing, amount: int, metadata: dict[str, str], become: Refunds) -> Thing:
    return {
        "id": f"re_{secrets.token_hex(12)}",
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": _now(),
        "currency": charge["currency"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "status": "succeeded" if become is Refunds.DONE else "pending",
    }


def _shown(thing: Thing) -> Thing:
    """A copy without what Stripe keeps to itself."""
    return copy.deepcopy({name: value for name, value in thing.items() if not name.startswith("_")})


def _now() -> int:
    return int(time.time())
