"""What a provider reports of mails that left, in any order and again, and staff who mail somebody again."""

from __future__ import annotations

from hypothesis import strategies as st

from backend.bookings.lifecycle import deliveries
from backend.bookings.notices import can_be_told
from backend.core.errors import Code
from backend.outbox.by_telephone import BOUNCED
from backend.outbox.deliveries import DeliveryReport
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import ClosedMailbox, Delivery
from tests.model.snapshot import Row
from tests.model.world import DESK, WHICH, World, action

ORDER = ("", *Delivery.values)  # it only goes forward


class Deliveries(World):
    """A mail that reached nobody is told by telephone, once; no booking moves."""

    @action(needs="messages", times=2, which=WHICH, delivery=st.sampled_from(Delivery), closes=st.booleans())
    def report(self, which: int, delivery: Delivery, closes: bool) -> None:
        mail = self.one_of(self.seen.messages.values(), which, lambda row: row.state == "done" and row.recipient != "")
        told = DeliveryReport("", mail.uuid, delivery, closes_mailbox=closes)
        did = self.do(deliveries.record_delivery, told)
        moves = mail.queue == "mail" and ORDER.index(mail.delivery) < ORDER.index(delivery)
        assert did.answer == moves, f"{delivery} of {mail}"
        assert did.before.bookings == did.after.bookings
        is_missed = moves and delivery in (Delivery.BOUNCED, Delivery.COMPLAINED) and _can_be_told(mail)
        copies = [row for row in did.after.messages.values() if row.dedupe_key == f"{BOUNCED}{mail.id}"]
        assert len(copies) == 1 or not is_missed, "not told by telephone"
        is_closed = ClosedMailbox.objects.filter(mailbox=mail.mailbox).exists()
        assert is_closed or not (is_missed and closes), "mailed again where nothing arrives"
        again = self.do(deliveries.record_delivery, told)
        assert not again.answer
        assert not again.changed

    @action(needs="bookings", which=WHICH)
    def mail_again(self, which: int) -> None:
        if which % 2 and self.seen.messages:
            self.report(which, Delivery.BOUNCED, closes=True)
        closed = set(ClosedMailbox.objects.values_list("mailbox", flat=True))
        was = self.one_of(self.seen.bookings.values(), which, lambda row: mailbox_of(row.email) in closed)
        did = self.do(deliveries.mail_again, was.id, timed=False, **DESK)
        if did.answer:
            self.worked()  # a closed mailbox is no part of what is seen
            assert mailbox_of(was.email) in closed
        assert (did.code is Code.NO_ADDRESS) == (was.email == "")
        assert not did.changed


def _can_be_told(mail: Row) -> bool:
    return bool(mail.recipient and mail.booking_id is not None and can_be_told(mail.kind))
