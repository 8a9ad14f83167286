"""What the mail worker does: reads each due notice again, and writes only what is true when it leaves."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from hypothesis import strategies as st

from backend.bookings import links
from backend.bookings.lifecycle import front_desk, renewal, visitor, withdrawal
from backend.bookings.machine import State
from backend.core import formatting
from backend.core.errors import Permanent, Transient
from backend.outbox import attempts, bundles, messages
from backend.outbox.models import GIVEN_UP, Message, Queue
from backend.payments import receipt_files
from backend.payments.models import Receipt
from tests.model.expected_messages import TO_STAFF
from tests.model.invariants import ACTIVE, FINAL, HOLDS_SLOT
from tests.model.relations import OFFERED_FOR
from tests.model.snapshot import REMINDS, Row
from tests.model.world import DESK, WHICH, World, action
from workers import mail
from workers.batch import Batch

ANSWERS = st.sampled_from(["takes", "takes", "hangs up", "refuses", "refuses for good", "kills the worker"])
PROVED = ACTIVE | FINAL
Held = tuple[bool, object]  # of a row as it was claimed: whether it may have left, and with which words
OF_NOBODY = Row(id=None, mode="ONLINE")  # whose own hold is no obstacle: none
# a mail that says so in another state would not be true
TRUE_IN = {
    "draft_submitted": {"DRAFT"},
    "draft_still_unverified": {"DRAFT"},
    "draft_lapsed": {"CANCELLED"},
    "already_booked": ACTIVE,
    "booking_received": {"PENDING"},
    "answer_late": {"PENDING"},
    "staff_booking_received": {"PENDING"},
    "staff_booking_waiting": {"PENDING"},
    "manager_booking_overdue": {"PENDING"},
    "booking_unanswered": {"CANCELLED"},
    "booking_rejected": {"REJECTED"},
    "booking_approved": {"APPROVED", "PAYMENT_PENDING"},
    "payment_still_due": {"APPROVED"},
    "payment_attempt_failed": {"APPROVED"},
    "payment_timed_out": {"CANCELLED", "PAYMENT_FAILED"},
    "late_payment_booked": {"CONFIRMED"},
    "booking_confirmed": {"CONFIRMED"},
    "booking_moved": HOLDS_SLOT,
    "series_booked": HOLDS_SLOT,
    "series_moved": HOLDS_SLOT,
    "series_cancelled": {"CANCELLED"},
    "session_approaching": {"CONFIRMED"},
    "session_imminent": {"CONFIRMED"},
    "cancellation_requested": ACTIVE,
    "staff_cancellation_requested": ACTIVE,
    "cancellation_lapsed": ACTIVE,
    "booking_cancelled": {"CANCELLED"},
    "psychologist_session_confirmed": {"CONFIRMED"},
    "psychologist_session_moved": {"CONFIRMED"},
}
REQUEST_TRUE_IN = {
    "data_corrected": "done",
    "consent_withdrawn": "done",
    "erasure_requested": "asked",
    "erasure_planned": "waiting",
    "erasure_stopped": "stopped",
    "erasure_done": "done",
}


class Killed(BaseException):
    """The worker's process is gone."""


class MailWorker(World):
    """The outbox is worked off by the worker's own code, at the model's clock, up to the provider's door."""

    _disturbing: int | None = None
    _about: set[int | None] = set()  # the bookings of a batch

    @action(batches=st.integers(1, 3), answer=ANSWERS, which=WHICH, is_disturbed=st.booleans())
    def deliver(self, batches: int, answer: str, which: int = 0, is_disturbed: bool = False) -> None:
        """Some batches of what is due; the provider may fail before or after it took a mail, or the worker dies.

        And while a batch is under way an operator may give more time.
        """
        self._disturbing = which if is_disturbed else None
        for _ in range(batches):
            self._batch(answer)
        self.look()

    def _batch(self, answer: str) -> None:
        rows = messages.claim(Queue.MAIL, now=self.now)
        self._about = {row.booking_id for row in rows}
        held = {str(row.uuid): (row.may_have_left, row.context) for row in rows}
        batch = Batch(rows, mail.send, mail.look_ahead, is_trial=False)
        self.look()
        with time_machine.travel(self.now, tick=False), pytest.MonkeyPatch.context() as patch:
            patch.setattr(mail._outlet, "send", lambda letter: self._at_the_door(letter, held, answer))
            patch.setattr(mail, "renewal", SimpleNamespace(renew=self._renew))
            with contextlib.suppress(Killed):
                batch.work_off(may_go_on=lambda: True)

    def _renew(self, message_id: int, *, now: datetime) -> None:
        assert now == self.now
        self.look()  # what the worker wrote is no step of an intent
        self.do(renewal.renew, message_id)

    @action(needs="receipts")
    def make_receipts(self) -> None:
        """The payments worker comes to those that wait."""
        for receipt in Receipt.objects.filter(file=None):
            receipt_files.keep(receipt, b"%PDF-1.7", now=self.now)
            self.worked()
        self.look()

    @action(needs="bookings", times=2, which=WHICH, hours=st.sampled_from([1, 6]), answer=ANSWERS)
    def fail_and_extend(self, which: int, hours: int, answer: str) -> None:
        """Mails leave or fail, and before these are tried again an operator gives more time: so promises got lost."""
        self.deliver(3, answer)
        was = self.booking(which, "DRAFT", "PENDING", "APPROVED")
        self.do(front_desk.extend_deadline, was.id, State(was.state), timedelta(hours=hours), **DESK).went_well()
        self.now += attempts.LEASE
        self.deliver(3, "takes")

    @action(needs="reminders", times=2, which=WHICH, withdraws=st.booleans())
    def reach_a_reminder(self, which: int, withdraws: bool) -> None:
        """Perhaps after its reader withdrew the consent."""
        due = self.one_of(self.seen.reminders, which, lambda row: row.recipient != "")
        if withdraws and due.recipient:
            did = self.do(visitor.request_link, due.recipient).went_well()
            for link in [link for link in did.after.data if link.id not in did.before.links]:
                token = links.token_of(link.message_uuid, link.purpose)
                self.do(withdrawal.withdraw, token, keeps_bookings=True).went_well()
        self.now = max(self.now, due.not_before)
        self.deliver(3, "takes")

    @action(needs="messages", which=WHICH)
    def redrive(self, which: int) -> None:
        """An operator tries a dead letter again."""
        message = self.one_of(self.seen.messages.values(), which, lambda row: row.state in GIVEN_UP)
        revived = messages.redrive(message.id, now=self.now)
        assert revived == (message.state in GIVEN_UP and message.blanked_at is None)
        if revived:
            self.worked()
        self.look()

    def _at_the_door(self, letter: EmailMultiAlternatives, held: dict[str, Held], answer: str) -> None:
        """What the provider is handed, and what it says."""
        message = Message.objects.get(uuid=letter.extra_headers["Message-ID"].strip("<>").partition("@")[0])
        assert letter.to == [message.recipient]
        assert message.context is not None
        assert message.may_have_left
        had_left, said = held[str(message.uuid)]
        if had_left and said is not None:
            assert message.context == said, f"{message.kind} changes its words"
        booking = self.seen.bookings.get(message.booking_id or 0)
        self._is_true(message, booking)
        if message.kind == "booking_rejected" and booking is not None and not had_left:
            self._offers_what_is_free(booking, {row["number"] for row in message.context["alternatives"]})
        self.worked()
        self._disturb()
        if answer == "kills the worker":
            raise Killed
        if answer != "takes":
            kind = Permanent if answer == "refuses for good" else Transient
            raise kind(answer, surely_not_sent=answer != "hangs up")

    def _disturb(self) -> None:
        """Once, after the first mail: the others of its batch were read before."""
        which, self._disturbing = self._disturbing, None
        about = [booking for booking in self.seen.bookings.values() if booking.id in self._about]
        waits = [booking for booking in about if booking.state in ("DRAFT", "PENDING", "APPROVED")]
        if which is not None and waits:
            was = waits[which % len(waits)]
            self.look()
            self.do(front_desk.extend_deadline, was.id, State(was.state), timedelta(hours=1), **DESK)

    def _offers_what_is_free(self, rejected: Row, numbers: set[int]) -> None:
        """What somebody else has by now is left out."""
        offered = [row for row in self.seen.alternatives.values() if row.booking_id == rejected.id]
        if any(row.taken_by_id for row in offered):
            return  # nobody can take one before the mail leaves, but the model can
        availability, is_open = self.availability(), rejected.closed_at + OFFERED_FOR > self.now
        free = {
            row.number
            for row in offered
            if is_open
            and not availability.obstacles(row.psychologist_id, row.slot_start, of=OF_NOBODY, despite_hours=True)
        }
        assert numbers == free, f"offers {numbers} of {offered}, and {free} are free"

    def _is_true(self, message: Message, booking: Row | None) -> None:
        if message.kind in REQUEST_TRUE_IN:
            request = self.seen.requests[message.subject_id or 0]
            assert request.state == REQUEST_TRUE_IN[message.kind], f"{message.kind} says of {request} what is not so"
            return
        if booking is None:
            assert message.kind == "nothing_open", f"about no booking: {message.kind}"
            return
        is_erased = booking.purged_at is not None and booking.verified_at is not None
        may_tell = not is_erased or message.kind.startswith(TO_STAFF)
        assert may_tell, f"{message.kind} to somebody who was erased: {booking}"
        may_remind = booking.consent_withdrawn_at is None or message.kind not in REMINDS
        assert may_remind, f"{message.kind} without consent: {booking}"
        if message.context and "sessions" in message.context:
            told = {one["uuid"]: one for one in message.context["sessions"]}
            for one in bundles.subjects(message):
                if str(one.uuid) in told:
                    one.context = told[str(one.uuid)]
                    self._is_true(one, self.seen.bookings[one.booking_id or 0])
            return
        self._keeps_its_word(message, booking)
        states = TRUE_IN.get(message.kind, PROVED)
        assert booking.state in states, f"{message.kind} says of {booking} what is not so"
        has_begun = booking.slot_start is not None and booking.slot_start <= self.now
        if message.kind in ("session_approaching", "session_imminent"):
            assert not has_begun, f"reminds of what has begun: {booking}"

    def _keeps_its_word(self, message: Message, booking: Row) -> None:
        """The deadlines and times that it names are those of now, unless it says when it was written."""
        facts = {"pay_by": booking.pay_by, "answer_by": booking.due_at, "confirm_by": booking.due_at}
        assert message.context is not None
        for name, at in facts.items():
            said = message.context.get(name)
            is_over = name == "pay_by" and booking.state == "CONFIRMED"  # paid, and so no longer spoken of
            if said and message.kind != "payment_returned" and not is_over:
                assert said == formatting.day_and_time(at), f"{message.kind} says {name} {said}: {booking}"
        if "starts_at" in message.context:
            assert message.context["starts_at"] == booking.slot_start.isoformat(), f"{message.kind}: {booking}"
