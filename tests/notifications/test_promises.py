"""Every intent while each notice is in back-off: the mail then leaves and is true, or one that says what is so does.

Judged by what the rows say, and not by the notices' own rules. Each notice meets both kinds of failure, each with a
sixteenth of the intents, and sixteen rows that follow one another meet all: a cell costs as much as three other tests,
and there are thousands. With TEST_WHOLE_TABLE=1, as in `make model`, every notice meets every intent in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.db.models import Max, Q

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Link, Purpose
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.core.errors import Permanent, Refused
from backend.notifications import delivery, readings, receipts
from backend.notifications.rules import is_of_its_bookings_alone
from backend.outbox import bundles
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import Refund
from tests.model.lifecycle import intents
from tests.support import scenarios, whole_table
from tests.support.every_intent import EVERY_INTENT
from tests.support.mail_provider import PROVIDER, EmailBackend, ProviderMode
from tests.support.mails import OF_NO_BOOKING, TRUE_IN
from tests.support.present_facts import OF_A_SESSION, present
from tests.support.scenes import SCENES, Scene
from workers import mail

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
SECOND = timedelta(seconds=1)
PAYING = (State.APPROVED, State.PAYMENT_PENDING)
ALIVE_IN = TRUE_IN | {
    Notice.DRAFT_LAPSED: {State.CANCELLED},
    Notice.BOOKING_UNANSWERED: {State.CANCELLED},
    Notice.PAYMENT_TIMED_OUT: {State.PAYMENT_FAILED, State.CANCELLED},
    Notice.PSYCHOLOGIST_SESSION_CANCELLED: {State.CANCELLED, State.CONFIRMED, State.COMPLETED},
    Notice.PSYCHOLOGIST_SERIES_CANCELLED: {State.CANCELLED, State.CONFIRMED, State.COMPLETED},
}
# what was said of a step that is over, in words that say so
OF_THE_PAST = (
    Notice.PAYMENT_RETURNED,
    Notice.STAFF_UNEXPECTED_MONEY,
    Notice.BOOKING_CANCELLED,
    Notice.PAYMENT_TIMED_OUT,
    Notice.PSYCHOLOGIST_SESSION_CANCELLED,
    Notice.SERIES_CANCELLED,
    Notice.PSYCHOLOGIST_SERIES_CANCELLED,
    Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED,
)
WITH_TERMS = (Notice.BOOKING_CONFIRMED, Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING, Notice.CANCELLATION_REQUESTED)
UNPAID = ("APPROVED", "PAYMENT_PENDING", "PENDING", "due")  # speaks of no money that could come back
TO_THE_DESK = (Notice.STAFF_BOOKING_RECEIVED, Notice.STAFF_BOOKING_WAITING, Notice.MANAGER_BOOKING_OVERDUE)

# the policy, and the other one where a mail speaks of it
TABLE = [(name, "none") for name in SCENES] + [
    (name, "full") for name, scene in SCENES.items() if scene.notice in WITH_TERMS and not name.endswith(UNPAID)
]
FAILURES = [ProviderMode.REFUSES, ProviderMode.HANGS_UP]
NOTHING = "nothing"
PARTS = 16
CELLS = {NOTHING: lambda _booking, _now: None, **EVERY_INTENT}
LEFT_OUT = {
    "receive_event": "records what `record_report` and `record_refund` do",
    "note_order": "keeps an id",
    "open_page": "says that a gateway's page may be there",
    "note_no_page": "says that none is",
    "mend": "calls `record_report`, `record_second_capture` or `record_refund`",
    "note_captured": "keeps what a gateway tells beside, as a fee",
    "record_second_capture": "gives back a sum that no promise speaks of",
    "approve_first_fit": "finds a time, and calls `approve`",
    "book_series": "is `book_follow_up` for each start",
    "preview_series": "is undone",
    "move_series": "is `reschedule` for each session",
    "cancel_series": "is `cancel_by_staff` for each session",
    "preview_move": "is undone",
    "preview_cancellation": "is undone",
    "record_absence": "calls `reschedule` and `cancel_by_staff`",
    "ask_erasure": "speaks of no booking",
    "record_erasure": "speaks of no booking",
    "stop_recorded": "speaks of no booking",
    "correct": "corrects the person, and no promise speaks of them",
    "withdraw": "the person wants no reminder",
    "prove_erasure": "speaks of no booking",
    "stop_erasure": "speaks of no booking",
    "carry_out": "settles every mail to the person itself, and waits as long as a booking is open",
    "renew": "is what the mail worker does in every cell",
    "record_delivery": "speaks of mails that left, and the model drives who is told by telephone",
    "mail_again": "opens a mailbox, and no cell closes one",
    "choose_reminders": "says where a reminder goes, and not what it says",
    "record_reminders": "says where a reminder goes, and not what it says",
    "stop_texts": "says where a reminder does not go, and not what it says",
}
OF_AN_ACTIVE_ONE = (Notice.ALREADY_BOOKED, Notice.CANCELLATION_REQUESTED, Notice.CANCELLATION_LAPSED)


@pytest.fixture(autouse=True)
def _provider(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # nobody makes a PDF here, and a mail that waits for one says the same later: tests/notifications/test_receipts.py
    monkeypatch.setattr(receipts, "awaited_until", lambda *_, **__: None)
    settings.PAYMENT_GATEWAY, settings.EMAIL_BACKEND = "sandbox", PROVIDER
    settings.MANAGER_INBOX = "manager@example.org"
    yield
    EmailBackend.mode = ProviderMode.TAKES


def test_every_notice_has_a_scene() -> None:
    assert {scene.notice for scene in SCENES.values()} == set(Notice) - set(OF_NO_BOOKING)


def test_rows_that_follow_one_another_meet_every_intent() -> None:
    assert {intent for row in range(PARTS) for intent in cells(row)} == set(CELLS)


def test_the_table_leaves_out_no_intent() -> None:
    driven = {name.partition(",")[0] for name in EVERY_INTENT}
    assert {name.partition(".")[2] for name in intents()} - driven == set(LEFT_OUT)


@pytest.mark.parametrize(("name", "refunds_in_time"), TABLE)
def test_whatever_happens_in_back_off_its_reader_learns_what_is_so(
    name: str, refunds_in_time: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", refunds_in_time)
    scene = SCENES[name]
    message, row = scene.message(scene.make(now)), TABLE.index((name, refunds_in_time))
    wrong = [
        f"{failure.value}, {intent}: {verdict}"
        for number, failure in enumerate(FAILURES)
        for intent, verdict in verdicts(scene, message, failure, cells(row + PARTS // 2 * number)).items()
        if verdict
    ]
    assert not wrong, "\n".join(wrong)


def verdicts(scene: Scene, message: Message, failure: ProviderMode, met: list[str]) -> dict[str, str]:
    """What is wrong after each of these intents, when the mail's first attempt failed so. Undone afterwards."""
    with transaction.atomic():
        at = fail_once(message, failure)
        before = Before(written(), readings.read([fresh(message)]))
        said = {intent: verdict_on(scene, message, intent, at, before) for intent in met}
        transaction.set_rollback(True)
    return said


def cells(row: int) -> list[str]:
    """Of this row: every sixteenth intent, beginning with another than the row before, and always none at all."""
    return [NOTHING, *whole_table.part([intent for intent in CELLS if intent != NOTHING], row, PARTS)]


def fail_once(message: Message, failure: ProviderMode) -> datetime:
    """All that is due besides has left; this one failed. Returns when."""
    now = max(message.not_before, message.created_at)
    others = Message.objects.exclude(pk=message.pk).filter(state=MessageState.WAITING)
    others.filter(Q(queue=Queue.PAYMENTS) | Q(not_before__lte=now)).update(state=MessageState.DONE, may_have_left=True)
    EmailBackend.mode = failure
    drain(now)
    EmailBackend.mode = ProviderMode.TAKES
    row = fresh(message)
    assert (row.state, row.attempts) == (MessageState.WAITING, 1)
    assert row.context is not None
    return now


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def fresh(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


@dataclass(frozen=True)
class Before:
    """What each intent finds, for it is undone before the next one."""

    written: tuple[int, int]
    reading: readings.Reading


def verdict_on(scene: Scene, message: Message, intent: str, at: datetime, before: Before) -> str:
    """What is wrong after this intent; empty when nothing is. Undone afterwards."""
    with transaction.atomic():
        booking, verdict = Booking.objects.get(pk=message.booking_id), ""
        try:
            with transaction.atomic():
                CELLS[intent](booking, at)
        except (Refused, Permanent, Refund.DoesNotExist, Message.DoesNotExist):
            pass  # it cannot happen here
        else:
            if written() != before.written or intent == NOTHING:
                unseen = changed_unseen(message, before.reading, at)
                then = deliver(message, at)
                verdict = unseen or judged(scene, fresh(message), then)
        transaction.set_rollback(True)
    return verdict


def changed_unseen(message: Message, reading: readings.Reading, at: datetime) -> str:
    """Whether a worker that read its bookings before the intent would send it as it was then."""
    mail = fresh(message)
    if not (is_of_its_bookings_alone(Notice(message.kind)) and reading.is_so_still(mail)):
        return ""
    mail.context, mail.may_have_left = None, False
    before = deepcopy(reading)  # what it looks up stays with it
    was, is_now = (delivery.prepare(mail, now=at, reading=one) for one in (before, readings.read([mail])))
    return "other words, and the same versions" if was != is_now else ""


def written() -> tuple[int, int]:
    """How much there is of what every intent writes that does anything."""
    return LedgerEntry.objects.count(), Message.objects.count()


def deliver(message: Message, at: datetime) -> datetime:
    """The provider is well again: all that its reader is owed after the intent leaves, in its order. Returns when."""
    Message.objects.exclude(recipient=message.recipient).delete()  # what others read is another cell's
    happened = LedgerEntry.objects.aggregate(last=Max("at"))["last"]
    then = max(at, happened, fresh(message).next_attempt_at)
    for _ in range(12):
        if not Message.objects.filter(queue=Queue.MAIL, state=MessageState.WAITING, not_before__lte=then).exists():
            return then
        then += SECOND
        drain(then)
    raise AssertionError("mails are owed without end")


# -- the verdict -------------------------------------------------------------------------------------------------------


def judged(scene: Scene, message: Message, then: datetime) -> str:
    booking = Booking.objects.get(pk=message.booking_id)
    if message.state == MessageState.DONE:
        wrong = untrue(message, then)
        if wrong or said_of(message, booking):
            return wrong
        message.state = MessageState.OBSOLETE  # as it is for this booking, of those that it was about
    if message.state == MessageState.WAITING:
        return "" if message.not_before > then and not message.may_have_left else "it waits for ever"
    if message.state != MessageState.OBSOLETE:
        return f"it is {message.state}: {message.last_error}"
    newer = Message.objects.filter(queue=Queue.MAIL, recipient=message.recipient, pk__gt=message.pk)
    left = [row for row in newer if row.state == MessageState.DONE]
    wrong = [f"{row.kind}: {why}" for row in left if (why := untrue(row, then))]
    if wrong:
        return f"overtaken by {', '.join(wrong)}"
    if booking.state in ALIVE_IN[scene.notice] and not is_over(scene.notice, message, booking, then):
        untold = [fact for fact in stated(message, booking) if not any(says(row, booking, fact) for row in left)]
        return f"overtaken, and nothing that left says {untold} ({[row.kind for row in left]})" if untold else ""
    return "" if left or ends_in_silence(scene.notice, booking, then) else "overtaken, and nobody says by what"


def says(row: Message, booking: Booking, fact: str) -> bool:
    return said_of(row, booking).get(fact, "") != ""


def said_of(row: Message, booking: Booking) -> dict[str, object]:
    """What a mail says of this booking, which may be one of several; empty, if it leaves it out."""
    assert row.context is not None
    told = {one.booking_id: one.context for one in about_each(row)}
    return told.get(booking.pk, {} if "sessions" in row.context else row.context) or {}


def about_each(row: Message) -> list[Message]:
    """The mail as one about each booking that it tells of."""
    assert row.context is not None
    if "sessions" not in row.context:
        return [row]
    told = {one["uuid"]: one for one in row.context["sessions"]}
    subjects = [one for one in bundles.subjects(row) if str(one.uuid) in told]
    for one in subjects:
        one.context = told[str(one.uuid)]
    return subjects


def stated(message: Message, booking: Booking) -> list[str]:
    """What a reader needs of it still, as far as the booking has it; its very subject, if it is none of that."""
    said = said_of(message, booking)
    facts = [fact for fact in present(message, booking) if fact in NEEDED and said.get(fact, "") != ""]
    return facts or ["acknowledgement_id"]


NEEDED = ("pay_by", "answer_by", "confirm_by", "starts_at", "link_until", "refund", "move_until")


def untrue(message: Message, then: datetime) -> str:
    """Which of the facts in a mail that has left are not so, of each of its bookings; or a link that does not work."""
    about = [(one, Booking.objects.get(pk=one.booking_id)) for one in about_each(message)]
    return "; ".join(why for one, booking in about if (why := untrue_of(one, booking, then)))


def untrue_of(message: Message, booking: Booking, then: datetime) -> str:
    if message.kind in OF_THE_PAST:
        return ""
    if booking.state not in ALIVE_IN[Notice(message.kind)]:
        return f"left in {booking.state}"
    assert message.context is not None
    facts = present(message, booking)
    wrong = [
        f"{name} is {facts[name]!r}, not {said!r}"
        for name, said in message.context.items()
        if name in facts and said != "" and said != facts[name]
    ]
    return "; ".join(wrong) or dead_link(message, booking, then)


def dead_link(message: Message, booking: Booking, then: datetime) -> str:
    """Until the session begins: so long each of them says to work, or less."""
    if booking.slot_start is not None and booking.slot_start <= then:
        return ""
    if message.kind == Notice.LINK_REQUESTED and not message.context["is_session"]:
        return ""  # it got them, and does not show them
    acting = (Purpose.CANCEL, Purpose.CANCEL_LATE, Purpose.RESCHEDULE)
    ended = Link.objects.filter(message_uuid=message.uuid, purpose__in=acting, expires_at__lte=then)
    return f"its links {[link.purpose for link in ended]} do not work" if ended else ""


def is_over(notice: Notice, message: Message, booking: Booking, then: datetime) -> bool:
    """Its subject has ended, although the state is one in which it could be told."""
    if notice == Notice.CANCELLATION_REQUESTED:  # its hour is over, or the wish was asked for once more
        asked_at = booking.cancellation_requested_at
        return asked_at is None or asked_at > message.created_at or asked_at + policy.CANCEL_LINK_LIFETIME <= then
    if notice == Notice.STAFF_CANCELLATION_REQUESTED:
        return booking.cancellation_requested_at is None
    if notice in (Notice.PAYMENT_STILL_DUE, Notice.PAYMENT_ATTEMPT_FAILED):
        return booking.pay_by is not None and booking.pay_by <= then
    if notice in (Notice.REFUND_QUEUED, Notice.STAFF_REFUND_DUE):
        return present(message, booking)["done"] is True
    if notice in (Notice.DRAFT_LAPSED, Notice.BOOKING_UNANSWERED):
        return Booking.objects.filter(email=message.recipient, state=State.PENDING).exists()
    if notice in OF_A_SESSION:  # it begins, or is a colleague's
        return message.recipient not in (booking.email, booking.psychologist.email) or booking.slot_start <= then
    return False


def ends_in_silence(notice: Notice, booking: Booking, then: datetime) -> bool:
    """Where nobody waits for another word."""
    if notice in TO_THE_DESK:  # they answered it, or read on their own list that it closed
        return booking.state != State.PENDING
    if notice in (Notice.STAFF_REFUND_DUE, Notice.STAFF_CANCELLATION_REQUESTED):  # there is nothing left to do
        return True
    if notice in (*OF_A_SESSION, *OF_AN_ACTIVE_ONE) and booking.slot_start and booking.slot_start <= then:
        return True  # it takes place, or has
    if notice in (Notice.PAYMENT_STILL_DUE, Notice.PAYMENT_ATTEMPT_FAILED):  # its own end speaks next
        return booking.state == State.PAYMENT_PENDING
    if notice == Notice.CANCELLATION_REQUESTED:  # and so does the end of its hour
        return booking.cancellation_requested_at is not None
    return False


def test_the_story_that_began_it(now: datetime) -> None:
    """Approved; the first mail fails; the deadline is extended; the visitor learns how to pay, and by when."""
    booking = scenarios.approved(now=now)
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_APPROVED)
    for failure in (ProviderMode.REFUSES, ProviderMode.HANGS_UP):
        with transaction.atomic():
            at = fail_once(message, failure)
            EVERY_INTENT["extend_deadline"](booking, at)
            deliver(message, at)
            by = formatting.day_and_time(scenarios.again(booking).pay_by)
            done = Message.objects.filter(kind=Notice.BOOKING_APPROVED, state=MessageState.DONE)
            assert [row.context["pay_by"] for row in done] == [by]
            assert done.get().pk == message.pk if failure is ProviderMode.REFUSES else done.get().pk > message.pk
            transaction.set_rollback(True)
