"""What the gateway says: in any order, late, twice, wrong, and now and then nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from hypothesis import strategies as st

from backend.bookings.lifecycle import attempts, inbox, payments, refunds
from backend.payments.gateway import Event, EventKind, OrderReport, OrderState, RefundOrderState, RefundReport
from tests.model.invariants import ACTIVE, BUFFER, GRACE
from tests.model.snapshot import Row
from tests.model.world import GATEWAY, WHICH, Result, World, action

VIA = st.booleans()  # by webhook, or because we asked
REFUND_ASKED_FOR = timedelta(days=7)  # then a pending one is for staff to look into
WRONG = st.sampled_from([(1, "INR"), (-1, "INR"), (0, "USD"), (-150_000, "INR")])  # what it adds, its currency


class Bank(World):
    """Captures, declines, refunds, and reports repeated word by word."""

    def __init__(self) -> None:
        super().__init__()
        self._events = count(1)
        self._last: Event | None = None

    @action(needs="attempts", which=WHICH, by_webhook=VIA)
    def pay(self, which: int, by_webhook: bool) -> None:
        self.pay_for(self._attempt(which, "open"), by_webhook)

    @action(needs="attempts", which=WHICH, by_webhook=VIA)
    def pay_after_all(self, which: int, by_webhook: bool) -> None:
        self.pay_for(self._attempt(which, "failed", "idle"), by_webhook)

    def pay_for(self, payment: Row, by_webhook: bool = False) -> None:
        """The exact sum arrives."""
        expected = self._expected(payment, is_exact=True)
        self._became(
            self._say(report_on(payment, payment.amount_paise, payment.currency), by_webhook), payment, expected
        )

    @action(needs="attempts", which=WHICH, wrong=WRONG, by_webhook=VIA)
    def pay_wrongly(self, which: int, wrong: tuple[int, str], by_webhook: bool) -> None:
        payment = self._attempt(which, "open", "failed", "idle")
        paise, currency = max(0, payment.amount_paise + wrong[0]), wrong[1]
        expected = self._expected(payment, is_exact=False)
        self._became(self._say(report_on(payment, paise, currency), by_webhook), payment, expected)

    @action(needs="attempts", which=WHICH, by_webhook=VIA)
    def decline(self, which: int, by_webhook: bool) -> None:
        payment = self._attempt(which, "open")
        report = report_on(payment, payment.amount_paise, payment.currency, OrderState.DECLINED)
        did = self._say(report, by_webhook)
        if payment.state == "open":
            self._ended(did, payment.booking_id)
        else:
            states = [[(row.id, row.state) for row in each.payments.values()] for each in (did.before, did.after)]
            assert states[0] == states[1]  # what its page said of the last try may be kept
            assert did.before.bookings == did.after.bookings

    @action(needs="attempts")
    def repeat_last_report(self) -> None:
        if self._last is None:
            return
        assert not self.do(inbox.receive_event, GATEWAY, self._last).changed, "a webhook counted twice"
        if self._last.report is not None:
            did = self.do(payments.record_report, self._last.report, actor=f"gateway:{GATEWAY}")
            # what the event was kept in quarantine for, an answer that says the same is kept for once, too
            assert did.answer == "quarantined" or not did.changed
            for table in ("bookings", "payments", "refunds", "messages"):
                assert getattr(did.before, table) == getattr(did.after, table), "a report counted twice"
        self.worked()

    @action(needs="attempts", which=WHICH)
    def report_an_unknown_payment(self, which: int) -> None:
        payment = self._attempt(which, "open")
        payment = type(payment)(**{**vars(payment), "reference": "PAY-NOBODY"})
        event = Event("evt_0", EventKind.ORDER_CAPTURED, report_on(payment, payment.amount_paise, "INR"), None)
        was = self.seen
        assert self.do(inbox.receive_event, GATEWAY, event).went_well().answer in ("quarantined", "unchanged")
        for table in ("payments", "bookings", "messages"):
            assert getattr(was, table) == getattr(self.seen, table), "money of nobody moved something"
        self.worked()

    @action(needs="attempts", which=WHICH)
    def order_made(self, which: int) -> None:
        payment = self._attempt(which, "open")
        report = report_on(payment, payment.amount_paise, payment.currency, OrderState.OPEN)
        self.do(attempts.note_order, payment.id, report)

    @action(needs="attempts", times=2, which=WHICH, late=st.booleans())
    def give_up_attempt(self, which: int, late: bool) -> None:
        bookings = self.seen.bookings
        is_open = lambda payment: payment.state == "open"  # noqa: E731

        def is_over(payment: Row) -> bool:
            return is_open(payment) and bookings[payment.booking_id].due_at <= self.now

        payment = self.one_of(self.seen.attempts, which, is_open if late else is_over)
        if late and is_open(payment):
            self.now = max(self.now, bookings[payment.booking_id].due_at)
        did = self.do(attempts.end_idle_attempt, payment.id)
        if is_over(payment):
            self._ended(did, payment.booking_id)
        else:
            assert not did.changed, "an attempt ended before its time"

    @action(needs="orders_back", times=2, which=WHICH, state=st.sampled_from(RefundOrderState), by_webhook=VIA)
    def answer_refund(self, which: int, state: RefundOrderState, by_webhook: bool) -> None:
        refund = self.one_of(self.seen.orders_back, which, lambda row: row.state == "queued")
        report = RefundReport(refund.reference, f"rf_{refund.id}", state, refund.amount_paise)
        if by_webhook or refund.state == "done":  # the worker asks nothing about one that is made
            kind = EventKind.REFUND_DONE if state is RefundOrderState.DONE else EventKind.REFUND_REFUSED
            self._last = Event(f"evt_{next(self._events)}", kind, None, report)
            did = self.do(inbox.receive_event, GATEWAY, self._last)
        else:
            did = self.do(refunds.record_refund, refund.id, report)
        after = did.after.refunds[refund.id]
        expected = refund.state
        if refund.state in ("queued", "unfinished") and state is not RefundOrderState.PENDING:
            expected = state.value
        elif refund.state == "queued" and refund.queued_at + REFUND_ASKED_FOR <= self.now:
            expected = "unfinished"
        assert after.state == expected

    def _attempt(self, which: int, *states: str) -> Row:
        return self.one_of(self.seen.attempts, which, lambda payment: payment.state in states)

    def _say(self, report: OrderReport, by_webhook: bool) -> Result:
        kind = EventKind.ORDER_CAPTURED if report.state is OrderState.CAPTURED else EventKind.ORDER_DECLINED
        event = Event(f"evt_{next(self._events)}", kind, report, None)
        if not by_webhook:
            return self.do(payments.record_report, report, actor=f"gateway:{GATEWAY}").went_well()
        self._last = event
        return self.do(inbox.receive_event, GATEWAY, event).went_well()

    def _expected(self, payment: Row, *, is_exact: bool) -> str:
        """The exact capture that completes the sum confirms, whatever came at the desk since its attempt began; after
        the time to pay only into a slot that is free, ahead, and alone."""
        booking = self.seen.bookings[payment.booking_id]
        if payment.state == "captured":
            return "unchanged" if payment.capture_id == f"cap_{payment.id}" else "quarantined"
        if not is_exact or self.seen.paid(booking.id):
            return "returned"
        before = sum(self.seen.left_paise(part) for part in self.seen.paying(booking.id) if part.id < payment.id)
        if before + payment.amount_paise != booking.amount_paise:
            return "returned"
        if booking.state in ("APPROVED", "PAYMENT_PENDING"):
            return "confirmed"
        is_back = booking.reason == "payment_timed_out" and booking.slot_start > self.now and booking.purged_at is None
        return "reinstated" if is_back and self._is_free(booking) and self._is_alone(booking) else "returned"

    def _is_free(self, booking: Row) -> bool:
        until = booking.slot_end + BUFFER
        held = [c for c in self.seen.claims.values() if c.psychologist_id == booking.psychologist_id]
        return all(c.blocked_until <= booking.slot_start or until <= c.blocked_from for c in held)

    def _is_alone(self, booking: Row) -> bool:
        others = [b for b in self.seen.bookings.values() if b.state in ACTIVE and b.origin == "visitor"]
        return all(other.email != booking.email for other in others)

    def _became(self, did: Result, payment: Row, expected: str) -> None:
        assert did.answer == expected, f"{did.answer}, not {expected}: {payment}"
        if expected in ("unchanged", "quarantined"):
            assert did.before.bookings == did.after.bookings
            return
        after = did.after.payments[payment.id]
        assert (after.state, after.is_unexpected) == ("captured", expected == "returned")
        if expected != "returned":
            assert did.after.bookings[payment.booking_id].state == "CONFIRMED"
            assert did.after.paid(payment.booking_id), f"confirmed, and not paid: {payment}"
        elif payment.state == "open":
            self._ended(did, payment.booking_id)

    def _ended(self, did: Result, booking_id: int) -> None:
        """There is time for another attempt, or there is not; a choice that is open ends first."""
        was = did.before.bookings[booking_id]
        deadline = min(was.pay_by + GRACE, was.slot_start)
        after = did.after.bookings[booking_id]
        goes_on = self.now < deadline or was.choose_by is not None
        assert after.state == ("APPROVED" if goes_on else "PAYMENT_FAILED"), f"{was} ended as {after}"
        assert after.pay_by == was.pay_by


def report_on(payment: Row, paise: int, currency: str, state: OrderState = OrderState.CAPTURED) -> OrderReport:
    """What the gateway says of this attempt's order."""
    capture_id = f"cap_{payment.id}" if state is OrderState.CAPTURED else ""
    return OrderReport(payment.reference, f"order_{payment.id}", state, paise, currency, capture_id)
