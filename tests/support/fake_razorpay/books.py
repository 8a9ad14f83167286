"""What Razorpay knows: links, their orders, payments, refunds and settlements, as the entities of its API."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

from tests.support.fake_razorpay import entities, rules
from tests.support.fake_razorpay.entities import Entity
from tests.support.fake_razorpay.errors import Rejected, require, unknown
from tests.support.fake_razorpay.events import Outbox
from tests.support.fake_razorpay.ids import new_id

INDIA = timezone(timedelta(hours=5, minutes=30))
FEE, TAX = 0.0236, 0.18  # 2 % and the tax on it


class Books:
    """Every public method is one step under one lock; `now` runs with the clock, and can be moved ahead of it."""

    def __init__(self, outbox: Outbox, public_url: str) -> None:
        self.lock = threading.RLock()
        self.outbox = outbox
        self.public_url = public_url
        self.ahead = 0.0  # seconds
        self.captures_by_itself = True  # an account's setting
        self.links: dict[str, Entity] = {}
        self.orders: dict[str, Entity] = {}
        self.payments: dict[str, Entity] = {}
        self.refunds: dict[str, Entity] = {}
        self.keys: dict[str, tuple[Entity, str]] = {}  # of refunds: body and id
        self.settled: list[Entity] = []
        self.later: list[tuple[float, str, str]] = []  # when, which payment, which status
        self.doubles: list[str] = []
        self.refunds_of: dict[str, str] = {}  # what becomes of a payment's refunds, unless they are processed at once

    def now(self) -> float:
        return time.time() + self.ahead

    def advance(self) -> None:
        """What is due happens: links expire, banks speak."""
        with self.lock:
            now = self.now()
            for link in self.links.values():
                if link["status"] == "created" and link["expire_by"] and link["expire_by"] <= now:
                    link |= {"status": "expired", "expired_at": int(now)}
                    self.outbox.tell("payment_link.expired", now, payment_link=link)
            due = [entry for entry in self.later if entry[0] <= now]
            self.later = [entry for entry in self.later if entry[0] > now]
            for _, payment_id, status in due:
                self.become(payment_id, status)

    # -- links --------------------------------------------------------------------------------------------------------

    def create_link(self, body: Entity) -> Entity:
        with self.lock:
            rules.require_link(body, self.now())
            reference = body.get("reference_id", "")
            taken = f"payment link with given reference_id: {reference} already exists. Please create a payment link"
            is_taken = reference and any(link["reference_id"] == reference for link in self.links.values())
            require(not is_taken, f"{taken} with a different reference_id", "reference_id")
            link = entities.new_link(body, self.public_url, int(self.now()))
            self._note_doubles(link)
            self.links[link["id"]] = link
            return link

    def _note_doubles(self, link: Entity) -> None:
        """A page whose description is that of one that takes money."""
        self.advance()
        open_links = [each for each in self.links.values() if each["status"] == "created"]
        beside = [each["reference_id"] for each in open_links if each["description"] == link["description"]]
        self.doubles += [f"{link['description']}: {link['reference_id']} beside {reference}" for reference in beside]

    def link(self, link_id: str) -> Entity:
        with self.lock:
            self.advance()
            return _known(self.links, link_id)

    def links_with(self, reference: str) -> list[Entity]:
        """A list does not say what was paid, as theirs does not."""
        with self.lock:
            self.advance()
            return [{**link, "payments": []} for link in self.links.values() if link["reference_id"] == reference]

    def cancel_link(self, link_id: str) -> Entity:
        with self.lock:
            link = self.link(link_id)
            is_paid = link["status"] in ("paid", "partially_paid")
            require(not is_paid, "cannot cancel or expire an already paid/partially paid link")
            require(link["status"] == "created", "cannot cancel or expire an expired link")
            link |= {"status": "cancelled", "cancelled_at": int(self.now())}
            self.outbox.tell("payment_link.cancelled", self.now(), payment_link=link)
            return link

    # -- payments -----------------------------------------------------------------------------------------------------

    def open_page(self, link_id: str) -> Entity:
        """Somebody opens the link's page: now it has an order."""
        with self.lock:
            link = self.link(link_id)
            if "order_id" not in link:
                order_id = new_id("order_")
                link["order_id"] = order_id
                self.orders[order_id] = entities.new_order(link, int(self.now()))
            return link

    def attempt(self, link_id: str, status: str, *, method: str = "upi", is_forced: bool = False) -> Entity | None:
        """The visitor tries to pay, and it becomes `status`. None: the page takes no money, and nobody forces it."""
        with self.lock:
            link = self.open_page(link_id)
            if link["status"] != "created" and not is_forced:
                return None
            self.orders[link["order_id"]]["attempts"] += 1
            payment = entities.new_payment(link, method, int(self.now()))
            self.payments[payment["id"]] = payment
            if status != "created":
                self.become(payment["id"], status)
            return payment

    def become_later(self, payment_id: str, status: str, seconds: float) -> None:
        with self.lock:
            self.later.append((self.now() + seconds, payment_id, status))

    def become(self, payment_id: str, status: str) -> Entity:
        """created → failed | authorized → captured; failed → authorized, as banks do for three days."""
        with self.lock:
            payment = _known(self.payments, payment_id)
            if status == "failed":
                payment |= {"status": "failed", "error_code": "BAD_REQUEST_ERROR", "error_reason": "payment_failed"}
                self.outbox.tell("payment.failed", self.now(), payment=payment)
            elif not payment["captured"]:
                payment |= {"status": "authorized", "error_code": None, "error_reason": None}
                self.outbox.tell("payment.authorized", self.now(), payment=payment)
                if status == "captured" or self.captures_by_itself:
                    self._capture(payment)
            return payment

    def _capture(self, payment: Entity) -> None:
        fee = round(payment["amount"] * FEE)
        payment |= {"status": "captured", "captured": True, "fee": fee, "tax": round(fee - fee / (1 + TAX))}
        self.outbox.tell("payment.captured", self.now(), payment=payment)
        order = self.orders[payment["order_id"]]
        if order["status"] == "paid":
            return
        order |= {"status": "paid", "amount_paid": payment["amount"], "amount_due": 0}
        self.outbox.tell("order.paid", self.now(), payment=payment, order=order)
        link = next(link for link in self.links.values() if link.get("order_id") == order["id"])
        if link["status"] != "created":
            return
        link |= {"status": "paid", "amount_paid": payment["amount"], "payments": [entities.paid(payment)]}
        told = {name: value for name, value in link.items() if name != "payments"}
        self.outbox.tell("payment_link.paid", self.now(), payment_link=told, order=order, payment=payment)

    def payment(self, payment_id: str) -> Entity:
        with self.lock:
            self.advance()
            return _known(self.payments, payment_id)

    def payments_of(self, order_id: str) -> list[Entity]:
        with self.lock:
            self.advance()
            _known(self.orders, order_id)
            return [payment for payment in self.payments.values() if payment["order_id"] == order_id]

    def capture(self, payment_id: str, body: Entity) -> Entity:
        with self.lock:
            payment = self.payment(payment_id)
            rules.require_amount(body)
            require(not payment["captured"], "This payment has already been captured")
            words = "The payment status should be authorized for action to be taken"
            require(payment["status"] == "authorized", words)
            words = "Capture amount must be equal to the amount authorized"
            require((body["amount"], body.get("currency")) == (payment["amount"], payment["currency"]), words, "amount")
            self._capture(payment)
            return payment

    def payments_between(self, since: int, until: int) -> list[Entity]:
        with self.lock:
            self.advance()
            found = [payment for payment in self.payments.values() if since <= payment["created_at"] <= until]
            return sorted(found, key=lambda payment: (payment["created_at"], payment["id"]), reverse=True)

    # -- refunds ------------------------------------------------------------------------------------------------------

    def refund(self, payment_id: str, body: Entity, key: str | None) -> Entity:
        with self.lock:
            payment = self.payment(payment_id)
            rules.require_refund(body, key)
            if key in self.keys:
                known, refund_id = self.keys[key]
                if known != body:
                    words = "Different request with the same idempotency key has already been processed."
                    raise Rejected(words, status=409)
                return self.refunds[refund_id]
            _require_covered(payment, body["amount"])
            refund = self._new_refund(payment, body)
            if key is not None:
                self.keys[key] = (body, refund["id"])
            return refund

    def _new_refund(self, payment: Entity, body: Entity) -> Entity:
        refund = entities.new_refund(payment, body, int(self.now()))
        self.refunds[refund["id"]] = refund
        self._count_refunded(payment, body["amount"])
        self.outbox.tell("refund.created", self.now(), refund=refund, payment=payment)
        if payment["id"] not in self.refunds_of:
            self._finish(refund, "processed")
        return refund

    def everything(self) -> Entity:
        """See `fake_gateway.books.Books`."""
        shelves = {"links": self.links, "payments": self.payments, "refunds": self.refunds}
        return {name: list(shelf.values()) for name, shelf in shelves.items()}

    def finish_refunds(self) -> None:
        """Every pending refund is processed, or fails if its payment's are to."""
        with self.lock:
            for refund in [refund for refund in self.refunds.values() if refund["status"] == "pending"]:
                self._finish(refund, self.refunds_of.get(refund["payment_id"], "processed"))

    def _finish(self, refund: Entity, status: str) -> None:
        refund["status"] = status
        payment = self.payments[refund["payment_id"]]
        if status == "failed":
            self._count_refunded(payment, -refund["amount"])
        self.outbox.tell(f"refund.{status}", self.now(), refund=refund, payment=payment)

    def _count_refunded(self, payment: Entity, amount: int) -> None:
        payment["amount_refunded"] += amount
        is_full = payment["amount_refunded"] == payment["amount"]
        payment["refund_status"] = "full" if is_full else "partial" if payment["amount_refunded"] else None
        payment["status"] = "refunded" if is_full else "captured"

    def refunds_for(self, payment_id: str) -> list[Entity]:
        with self.lock:
            self.payment(payment_id)
            found = [refund for refund in self.refunds.values() if refund["payment_id"] == payment_id]
            return sorted(found, key=lambda refund: (refund["created_at"], refund["id"]), reverse=True)

    # -- settlements --------------------------------------------------------------------------------------------------

    def settle(self) -> str:
        """All that moved and was not yet paid out is paid out now; the settlement's id."""
        with self.lock:
            settlement = {"id": new_id("setl_"), "utr": f"UTR{int(self.now())}", "at": int(self.now())}
            known = {item["entity_id"] for item in self.settled}
            for payment in self.payments.values():
                if payment["captured"] and payment["id"] not in known:
                    receipt = self.orders.get(payment["order_id"], {}).get("receipt")
                    self.settled.append(entities.settled("payment", payment, settlement, order_receipt=receipt))
            for refund in self.refunds.values():
                if refund["status"] == "processed" and refund["id"] not in known:
                    self.settled.append(entities.settled("refund", refund, settlement, payment_id=refund["payment_id"]))
            return str(settlement["id"])

    def settled_on(self, year: int, month: int, day: int) -> list[Entity]:
        with self.lock:
            wanted = (year, month, day)
            return [item for item in self.settled if _day(item["settled_at"]) == wanted]


def _known(entities: dict[str, Entity], entity_id: str) -> Entity:
    if entity_id not in entities:
        raise unknown()
    return entities[entity_id]


def _day(at: int) -> tuple[int, int, int]:
    moment = datetime.fromtimestamp(at, UTC).astimezone(INDIA)
    return moment.year, moment.month, moment.day


def _require_covered(payment: Entity, amount: int) -> None:
    require(payment["captured"], "The payment status should be captured for action to be taken")
    require(payment["amount_refunded"] < payment["amount"], "The payment has been fully refunded already")
    is_covered = payment["amount_refunded"] + amount <= payment["amount"]
    require(is_covered, "The refund amount provided is greater than amount captured", "amount")
