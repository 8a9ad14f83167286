"""A gateway with hosted pages, in memory."""

from __future__ import annotations

from backend.core.errors import Permanent, Transient
from backend.payments.gateway import LastTry, Order, OrderReport, OrderState


class Pages:
    """A gateway with pages, in memory: what is asked of it, and what it says of each order."""

    name = "sandbox"
    has_pages = True

    def __init__(self) -> None:
        self.orders: dict[str, OrderReport] = {}
        self.asked: list[tuple[str, str]] = []
        self.loses_answers = False
        self.is_silent = False

    def ensure_order(self, order: Order) -> OrderReport:
        self.asked.append(("ensure", order.reference))
        self.given = order
        self.say(order.reference, OrderState.OPEN, order.amount_paise)
        if self.loses_answers:
            raise Transient("no answer")
        return self.orders[order.reference]

    def say(self, reference: str, state: OrderState, paise: int, last_try: LastTry = LastTry.NONE) -> None:
        capture_id = f"cap_{reference}" if state is OrderState.CAPTURED else ""
        url = f"https://pay.example.org/{reference}"
        self.orders[reference] = OrderReport(
            reference, f"plink_{reference}", state, paise, "INR", capture_id, url, last_try=last_try
        )

    def fetch_order(self, reference: str, _id: str = "", /) -> OrderReport | None:
        self.asked.append(("fetch", reference))
        return self.orders.get(reference)

    def complete_order(self, reference: str, _id: str = "", /) -> OrderReport:
        self.asked.append(("complete", reference))
        if self.is_silent:
            raise Transient("no answer")
        if reference not in self.orders:
            raise Permanent("no such order")
        if self.orders[reference].state is OrderState.AUTHORISED:
            self.say(reference, OrderState.CAPTURED, self.orders[reference].amount_paise)
        return self.orders[reference]

    def close_order(self, reference: str, _id: str = "", /) -> OrderReport | None:
        self.asked.append(("close", reference))
        found = self.orders.get(reference)
        if found is not None and found.state is OrderState.OPEN:
            self.say(reference, OrderState.CLOSED, found.amount_paise)
        return self.orders.get(reference)


PLACES = (  # where adapters are asked for by name
    "workers.payments.gateway_named",
    "backend.bookings.lifecycle.payments.gateway_named",
    "backend.payments.adapters.gateway_named",
)
