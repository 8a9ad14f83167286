"""What the fake Stripe knows, and how it changes: pages are paid or declined, refunds are made, payouts leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any

from tests.support.fake_stripe import entities
from tests.support.fake_stripe.entities import DAY
from tests.support.fake_stripe.outbox import Outbox
from tests.support.fake_stripe.shelf import Refusal, Shelf, Thing, expand, shown


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


class Books:
    """The account's objects. Each public method is one step under one lock; `now` can be moved ahead of the clock."""

    def __init__(self, outbox: Outbox, public_url: str) -> None:
        self.lock = threading.RLock()
        self.outbox = outbox
        self.public_url = public_url
        self.ahead = 0.0  # seconds
        self.sessions, self.refunds = Shelf("/v1/checkout/sessions"), Shelf("/v1/refunds")
        self.booked, self.payouts = Shelf("/v1/balance_transactions"), Shelf("/v1/payouts")
        self.intents, self.charges = Shelf(), Shelf()
        self.doubles: list[str] = []
        self.refunds_become: dict[str, Refunds] = {}  # by payment intent; "" for all others
        self._open: dict[str, Thing] = {}  # sessions that may expire
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._slow: dict[str, Callable[[], None]] = {}  # by payment intent: what its bank says in the end
        self._ends: dict[str, str] = {}  # what a pending refund becomes

    def now(self) -> float:
        return time.time() + self.ahead

    def advance(self) -> None:
        """Let happen what is due: pages expire, banks speak."""
        with self.lock:
            now = self.now()
            due = [act for at, act in self._later if at <= now]
            self._later = [(at, act) for at, act in self._later if at > now]
            for act in due:
                act()
            self._open = {id_: session for id_, session in self._open.items() if session["status"] == "open"}
            for session in self._open.values():
                if session["expires_at"] <= now:
                    self._expire(session)

    # -- what is asked for over the API -------------------------------------------------------------------------------

    def open_session(self, *, expires_at: int | None = None, **said: Any) -> Thing:
        with self.lock:
            now = int(self.now())
            if expires_at is not None and not 30 * 60 <= expires_at - now <= DAY:
                raise Refusal(400, "`expires_at` must be between 30 minutes and 24 hours from now.", param="expires_at")
            made = entities.new_session(now, self.public_url, expires_at=expires_at or now + DAY, **said)
            self._note_doubles(made)
            self._open[made["id"]] = made
            return self.sessions.keep(made)

    def _note_doubles(self, made: Thing) -> None:
        """A page that is called as one that takes money."""
        self.advance()
        name = made.get("_name")
        beside = [
            each for each in self._open.values() if name and (each["status"], each.get("_name")) == ("open", name)
        ]
        self.doubles += [
            f"{name}: {made['client_reference_id']} beside {each['client_reference_id']}" for each in beside
        ]

    def expire(self, id_: str) -> Thing:
        with self.lock:
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
            charge = self._refundable(intent_id, amount)
            become = self.refunds_become.get(intent_id) or self.refunds_become.get("", Refunds.DONE)
            status = "succeeded" if become is Refunds.DONE else "pending"
            refund = self.refunds.keep(entities.new_refund(int(self.now()), charge, amount, metadata, status))
            self._give_back(charge, amount)
            self._book("refund", refund, -amount)
            if become is not Refunds.DONE:
                self._ends[refund["id"]] = "succeeded" if become is Refunds.PENDING else "failed"
            self._tell("charge.refunded", charge)
            self._tell("refund.created", refund)
            return refund

    def full(self, thing: Thing, paths: list[str]) -> Thing:
        """A copy, with what `paths` name in full in place of their ids."""
        with self.lock:
            made = shown(thing)
            for path in paths:
                expand(made, path.split("."), self._find)
            return made

    # -- what visitors, banks and the account do ----------------------------------------------------------------------

    def sessions_of(self, reference: str) -> list[Thing]:
        """All that were ever made for one of our references, oldest first."""
        with self.lock:
            return [each for each in self.sessions.things.values() if each["client_reference_id"] == reference]

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
                    self._take(session, intent, "card")
                case How.DECLINE:
                    self._decline(intent)
                case How.HOLD:
                    self._hold(session, intent)
                case How.UPI | How.UPI_FAILS:
                    self._begin_slowly(session, intent, how, seconds)
            return True

    def everything(self) -> dict[str, list[Thing]]:
        """See `fake_gateway.books.Books`."""
        shelves = {"links": self.sessions, "payments": self.intents, "refunds": self.refunds}
        return {name: [shown(thing) for thing in shelf.things.values()] for name, shelf in shelves.items()}

    def speak(self, intent_id: str) -> Thing:
        """The bank of a payment that waits for it speaks now."""
        with self.lock:
            act = self._slow.pop(intent_id)
            self._later = [entry for entry in self._later if entry[1] is not act]
            act()
            return self.intents.get(intent_id)

    def finish_refunds(self) -> None:
        """What pends is done now, or fails, and then the money is the account's again."""
        with self.lock:
            for id_, end in self._ends.items():
                refund = self.refunds.get(id_)
                refund["status"] = end
                if end == "failed":
                    refund["failure_reason"] = "expired_or_canceled_card"
                    self._give_back(self.charges.get(refund["charge"]), -refund["amount"])
                    self._book("refund_failure", refund, refund["amount"])
                    self._tell("refund.failed", refund)
                self._tell("refund.updated", refund)
            self._ends.clear()

    def settle(self, day: date) -> str:
        """Pay out all that was booked and not yet paid out, to arrive on `day`. The payout's id."""
        with self.lock:
            items = [item for item in self.booked.things.values() if item["_payout"] is None]
            payout = entities.new_payout(int(self.now()), sum(item["net"] for item in items), day)
            items.append(self._book("payout", self.payouts.keep(payout), -payout["amount"]))
            for item in items:
                item["_payout"] = payout["id"]
            return payout["id"]

    # -- one step -----------------------------------------------------------------------------------------------------

    def _find(self, id_: str) -> Thing:
        shelves = (self.intents, self.charges, self.booked, self.refunds, self.payouts)
        found = next((shelf for shelf in shelves if id_ in shelf.things), Shelf())
        return found.get(id_)

    def _tell(self, kind: str, thing: Thing) -> None:
        self.outbox.tell(kind, shown(thing), self.now())

    def _intent_of(self, session: Thing) -> Thing:
        """Made when the visitor first tries to pay, as Stripe does since 2022."""
        if session["payment_intent"] is None:
            intent = self.intents.keep(entities.new_intent(int(self.now()), session))
            session["payment_intent"], intent["_session"] = intent["id"], session["id"]
        return self.intents.get(session["payment_intent"])

    def _session_of(self, intent: Thing) -> Thing:
        return self.sessions.get(intent["_session"])

    def _charge(self, intent: Thing, means: str, status: str) -> Thing:
        charge = self.charges.keep(entities.new_charge(int(self.now()), intent, means, status))
        intent["latest_charge"] = charge["id"]
        return charge

    def _take(self, session: Thing, intent: Thing, means: str) -> None:
        """The money is the account's."""
        was = intent["status"]
        is_charged = was in ("requires_capture", "processing")
        charge = self.charges.get(intent["latest_charge"]) if is_charged else self._charge(intent, means, "succeeded")
        charge |= {"captured": True, "amount_captured": intent["amount"], "status": "succeeded", "paid": True}
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "amount_capturable": 0}
        intent["last_payment_error"] = None
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        self._book("payment" if means == "upi" else "charge", charge, charge["amount_captured"])
        self._tell("payment_intent.succeeded", intent)
        self._tell("charge.succeeded", charge)
        if was != "requires_capture":
            end = "async_payment_succeeded" if was == "processing" else "completed"
            self._tell(f"checkout.session.{end}", session)

    def _hold(self, session: Thing, intent: Thing) -> None:
        session |= {"status": "complete", "url": None}
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        self._charge(intent, "card", "succeeded")
        self._tell("payment_intent.amount_capturable_updated", intent)
        self._tell("checkout.session.completed", session)

    def _decline(self, intent: Thing) -> None:
        error = {"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"}
        intent |= {"status": "requires_payment_method", "last_payment_error": error}
        self._charge(intent, "card", "failed")
        self._tell("payment_intent.payment_failed", intent)

    def _begin_slowly(self, session: Thing, intent: Thing, how: How, seconds: float) -> None:
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
            self._decline(intent)
            self._tell("checkout.session.async_payment_failed", session)

        self._slow[intent["id"]] = speak
        self._later.append((self.now() + seconds, speak))

    def _expire(self, session: Thing) -> None:
        session |= {"status": "expired", "url": None}
        if session["payment_intent"] is not None:
            self.intents.get(session["payment_intent"])["status"] = "canceled"
        self._tell("checkout.session.expired", session)

    def _refundable(self, intent_id: str, amount: int) -> Thing:
        """The charge. Raises Refusal if too little was captured, or is left of it."""
        intent = self.intents.get(intent_id)
        if intent["status"] != "succeeded":
            sentence = "This PaymentIntent does not have a successful charge to refund."
            raise Refusal(400, sentence, code="payment_intent_unexpected_state", param="payment_intent")
        charge = self.charges.get(intent["latest_charge"])
        left = charge["amount_captured"] - charge["amount_refunded"]
        if not left:
            raise Refusal(400, "Charge has already been refunded.", code="charge_already_refunded")
        if amount > left:
            raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount ({left})", param="amount")
        return charge

    def _give_back(self, charge: Thing, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]

    def _book(self, kind: str, source: Thing, amount: int) -> Thing:
        booking = self.booked.keep(entities.new_booking(int(self.now()), kind, source, amount))
        if kind != "payout":
            source["balance_transaction"] = booking["id"]
        return booking
