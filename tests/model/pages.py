"""Hosted pages of a gateway: opened one at a time, closed with their attempt, and money that comes twice."""

from __future__ import annotations

from itertools import count

from hypothesis import strategies as st

from backend.bookings.lifecycle import attempts, payments
from backend.payments.gateway import LastTry, OrderReport, OrderState
from tests.model.snapshot import Row
from tests.model.world import WHICH, World, action


class Pages(World):
    """What the payments worker does at a gateway that has pages."""

    def __init__(self) -> None:
        super().__init__()
        self._captures = count(1)

    @action(needs="attempts", times=2, which=WHICH)
    def open_page(self, which: int) -> None:
        payment = self.one_of(self.seen.attempts, which, lambda row: row.state == "open" and not row.page_state)
        beside = [row.id for row in self._with_pages() if row.booking_id == payment.booking_id and row.id != payment.id]
        did = self.do(attempts.open_page, payment.id, timed=False)
        assert [row.pk for row in [did.answer] if row] == beside, f"two pages: {payment}"
        is_new = payment.state == "open" and not payment.page_state and not beside
        assert did.after.payments[payment.id].page_state == ("open" if is_new else payment.page_state)

    @action(needs="attempts", which=WHICH, last_try=st.sampled_from(LastTry), is_closed=st.booleans())
    def look_at_page(self, which: int, last_try: LastTry, is_closed: bool) -> None:
        payment = self.one_of(self.seen.attempts, which, lambda row: row.page_state == "open")
        state = OrderState.CLOSED if is_closed else OrderState.OPEN
        did = self.do(attempts.note_order, payment.id, _report(payment, state, last_try))
        after = did.after.payments[payment.id]
        assert after.page_state == ("closed" if is_closed and payment.page_state else payment.page_state)
        assert (after.state, did.before.bookings) == (payment.state, did.after.bookings), "a look moved a booking"

    @action(needs="attempts", times=2, which=WHICH)
    def miss_page(self, which: int) -> None:
        if which % 2:
            self._end_one_with_page(which)
        payment = self.one_of(self.seen.attempts, which, lambda row: row.page_state == "open" and row.state != "open")
        did = self.do(attempts.note_no_page, payment.id, timed=False)
        is_over = payment.page_state == "open" and payment.state != "open"
        expected = "closed" if is_over else payment.page_state
        assert did.after.payments[payment.id].page_state == expected

    @action(needs="attempts", which=WHICH)
    def pay_twice(self, which: int) -> None:
        """An order that was captured once more: all of it goes back, and the booking stands."""
        payment = self.one_of(self.seen.attempts, which, lambda row: row.state == "captured")
        report = _report(payment, OrderState.CAPTURED, capture_id=f"again_{next(self._captures)}")
        did = self.do(payments.record_second_capture, report)
        new = [row for row in did.after.payments.values() if row.id not in did.before.payments]
        assert len(new) == (payment.state == "captured"), "a sum that nobody expects was not kept, or twice"
        for second in new:
            assert (second.is_unexpected, did.after.left_paise(second)) == (True, 0), f"not given back: {second}"
            assert did.after.bookings[payment.booking_id].state == did.before.bookings[payment.booking_id].state
            assert not self.do(payments.record_second_capture, report).changed, "the same sum twice"

    def _end_one_with_page(self, which: int) -> None:
        """An attempt gets its page, and is declined at once; such are rare otherwise."""
        payment = self.one_of(self.seen.attempts, which, lambda row: row.state == "open" and not row.page_state)
        self.do(attempts.open_page, payment.id, timed=False)
        if payment.state == "open":
            self.do(payments.record_report, _report(payment, OrderState.DECLINED), actor="gateway:sandbox")

    def _with_pages(self) -> list[Row]:
        return [row for row in self.seen.attempts if row.page_state == "open"]


def _report(payment: Row, state: OrderState, last_try: LastTry = LastTry.NONE, *, capture_id: str = "") -> OrderReport:
    return OrderReport(
        payment.reference,
        f"order_{payment.id}",
        state,
        payment.amount_paise,
        payment.currency,
        capture_id,
        pay_url="https://pay.example.org/1",
        last_try=last_try,
    )
