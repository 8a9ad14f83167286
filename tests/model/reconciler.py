"""Money that nobody told of: our books are held against the gateway's, and what has one meaning is put right."""

from __future__ import annotations

from hypothesis import strategies as st

from backend.bookings.lifecycle import differences, reconciliation
from backend.bookings.lifecycle.differences import Kind
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment
from tests.model.bank import Bank, report_on
from tests.model.world import GATEWAY, WHICH, action

SETTLED = st.sampled_from([RefundOrderState.DONE, RefundOrderState.REFUSED])


class Reconciler(Bank):
    """A capture of our own order, or the end of a refund, of which the gateway sent no event."""

    @action(needs="attempts", times=2, which=WHICH)
    def find_capture(self, which: int) -> None:
        """It is booked or goes back as if it had been told, once."""
        payment = self._attempt(which, "open", "failed", "idle")
        if payment.state == "captured":  # see pages.py for one that is captured once more
            return
        report = report_on(payment, payment.amount_paise, payment.currency)
        expected = self._expected(payment, is_exact=True)
        found = list(differences.of_captures(GATEWAY, [report]))
        assert [one.kind for one in found] == [Kind.NOT_BOOKED], f"{found}: {payment}"
        self._became(self.do(reconciliation.mend, found[0]), payment, expected)
        did = self.do(reconciliation.note_captured, GATEWAY, [report])
        assert did.before.bookings == did.after.bookings, "what was only noted moved a booking"
        assert not list(differences.of_captures(GATEWAY, [report])), f"found again: {payment}"

    @action(needs="orders_back", which=WHICH, state=SETTLED)
    def find_refund(self, which: int, state: RefundOrderState) -> None:
        refund = self.one_of(self.seen.orders_back, which, lambda row: row.state in ("queued", "unfinished"))
        report = RefundReport(refund.reference, f"rf_{refund.id}", state, refund.amount_paise)
        payment = Payment.objects.get(pk=refund.payment_id)
        found = list(differences.of_refunds(payment, [report], asked_at=self.now))
        is_open = refund.state in ("queued", "unfinished")
        noted = [one for one in found if one.kind is Kind.REFUND_NOT_NOTED]
        assert len(noted) == is_open, f"{found}: {refund}"
        for one in noted:
            did = self.do(reconciliation.mend, one).went_well()
            assert did.after.refunds[refund.id].state == state.value, f"not noted: {refund}"
