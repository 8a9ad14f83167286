"""What ledger rows say beyond their columns: every shape that was ever written is read, and written as it was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from backend.bookings import ledger_details
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import (
    DETAILS,
    AlternativeTaken,
    Approved,
    Cancelled,
    Captured,
    ChoiceOffered,
    DeadlineExtended,
    Details,
    EmailVerified,
    FollowUpBooked,
    Moved,
    NotPaidInTime,
    OutcomeRecorded,
    PaymentStarted,
    PaymentVoided,
    RefundGranted,
    RefundMade,
    RefundRefused,
    RefundUnfinished,
    Rejected,
    RequestedAgain,
    Sponsored,
    Undoable,
    Undone,
    UnexpectedlyCaptured,
    details_of,
    typed_details,
)
from backend.bookings.lifecycle.transaction import record_event
from backend.bookings.models import LedgerEntry, Outcome
from backend.payments.models import VoidReason
from tests.support import scenarios

AT, LATER = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 25, 12, tzinfo=UTC)
SPAN = '"from": "2026-11-24T12:00:00+00:00", "to": "2026-11-25T12:00:00+00:00"'
MONTH = date(2026, 12, 1)
# as the column has it, by hand
STORED: list[tuple[Intent, str, Details]] = [
    (Intent.SUBMIT_DRAFT, "{}", Details()),
    (Intent.VERIFY_EMAIL, "{}", EmailVerified()),
    (Intent.VERIFY_EMAIL, '{"corporate": 3}', EmailVerified(corporate=3)),
    (Intent.REQUEST_AGAIN, '{"instead_of": 7}', RequestedAgain(instead_of=7)),
    (Intent.BOOK_FOLLOW_UP, '{"follows": 7}', FollowUpBooked(follows=7)),
    (
        Intent.TAKE_ALTERNATIVE,
        '{"instead_of": 7, "alternative": 2, "psychologist": 4, "amount_paise": 150000, "not_sponsored_by": 3}',
        AlternativeTaken(7, 2, 4, 150_000, not_sponsored_by=3),
    ),
    (Intent.TAKE_ALTERNATIVE, '{"corporate": 3}', AlternativeTaken(corporate=3)),
    (Intent.TAKE_ALTERNATIVE, "{}", AlternativeTaken()),
    (
        Intent.REJECT,
        '{"due_was": "2026-11-26T04:30:00+00:00"}',
        Rejected(due_was=datetime(2026, 11, 26, 4, 30, tzinfo=UTC)),
    ),
    (Intent.UNDO_DECISION, '{"decision": 3, "refund": 5}', Undone(3, refund=5)),
    (Intent.EXTEND_DEADLINE, f"{{{SPAN}}}", DeadlineExtended(was=AT, to=LATER)),
    (Intent.APPROVE, '{"psychologist": 4, "amount_paise": 0}', Approved(4, 0)),
    (Intent.APPROVE, '{"psychologist": 4, "amount_paise": 1, "corporate": 3}', Approved(4, 1, corporate=3)),
    (Intent.APPROVE, '{"psychologist": 4, "amount_paise": 1, "not_sponsored_by": 3}', Approved(4, 1, None, 3)),
    (Intent.REJECT, "{}", Rejected()),
    (Intent.REJECT, '{"alternatives": 3}', Rejected(alternatives=3)),
    (Intent.SPONSOR, '{"corporate": 3}', Sponsored(corporate=3)),
    (Intent.SPONSOR, '{"corporate": null}', Sponsored(corporate=None)),
    (Intent.START_PAYMENT, '{"payment": 5}', PaymentStarted(payment=5)),
    (Intent.RECORD_CAPTURE, '{"payment": 5, "captured_paise": 150000}', Captured(5, 150_000)),
    (
        Intent.VOID_DESK_PAYMENT,
        '{"payment": 5, "captured_paise": 7, "why": "wrong_sum"}',
        PaymentVoided(5, 7, VoidReason.WRONG_SUM),
    ),
    (Intent.RECORD_DESK_PAYMENT, '{"payment": 5, "captured_paise": 0}', Captured(5, 0)),
    (Intent.RECORD_LATE_CAPTURE, '{"payment": 5, "captured_paise": 150000}', Captured(5, 150_000)),
    (Intent.RECORD_UNEXPECTED_CAPTURE, '{"payment": 5, "captured_paise": 0}', UnexpectedlyCaptured(5, 0)),
    (
        Intent.RECORD_UNEXPECTED_CAPTURE,
        '{"payment": 5, "captured_paise": 1, "refund": 6}',
        UnexpectedlyCaptured(5, 1, refund=6),
    ),
    (Intent.RESCHEDULE, f'{{{SPAN}, "from_psychologist": 4, "to_psychologist": 9}}', Moved(AT, LATER, 4, 9)),
    (
        Intent.RECORD_OUTCOME,
        '{"from": "unrecorded", "to": "attended"}',
        OutcomeRecorded(Outcome.UNRECORDED, Outcome.ATTENDED),
    ),
    (
        Intent.RECORD_OUTCOME,
        '{"from": "attended", "to": "practice_absent", "returned_to_sponsor": "2026-12-01"}',
        OutcomeRecorded(Outcome.ATTENDED, Outcome.PRACTICE_ABSENT, returned_to_sponsor=MONTH),
    ),
    (
        Intent.RECORD_OUTCOME,
        '{"from": "practice_absent", "to": "no_show", "taken_from_sponsor": "2026-12-01"}',
        OutcomeRecorded(Outcome.PRACTICE_ABSENT, Outcome.NO_SHOW, taken_from_sponsor=MONTH),
    ),
    (Intent.OFFER_CHOICE, f'{{"choose_by": "{AT.isoformat()}"}}', ChoiceOffered(AT)),
    (Intent.LAPSE_CHOICE, '{"refund": 6}', Cancelled(refund=6)),
    (Intent.CANCEL, "{}", Cancelled()),
    (Intent.CANCEL, '{"returned_to_sponsor": "2026-12-01"}', Cancelled(returned_to_sponsor=MONTH)),
    (Intent.CANCEL, '{"refund": 6}', Cancelled(refund=6)),
    (Intent.CANCEL, '{"refund": 6, "more_refunds": [7, 8]}', Cancelled(refund=6, more_refunds=(7, 8))),
    (Intent.PAYMENT_TIMED_OUT, "{}", NotPaidInTime()),
    (Intent.FAIL_ATTEMPT, '{"refund": 6}', NotPaidInTime(6)),
    (Intent.END_IDLE_ATTEMPT, '{"refund": 6, "more_refunds": [7]}', NotPaidInTime(6, (7,))),
    (Intent.GRANT_REFUND, '{"refund": 6, "amount_paise": 50000}', RefundGranted(6, 50_000)),
    (Intent.REFUND_MADE, '{"refund": 6, "amount_paise": 50000}', RefundMade(6, 50_000)),
    (Intent.REFUND_REFUSED, '{"refund": 6}', RefundRefused(6)),
    (Intent.REFUND_UNFINISHED, '{"refund": 6}', RefundUnfinished(6)),
]


@pytest.mark.parametrize(("intent", "stored", "details"), STORED)
def test_what_is_stored_is_read_and_written_byte_for_byte(intent: Intent, stored: str, details: Details) -> None:
    row = LedgerEntry(intent=intent, details=json.loads(stored))
    assert typed_details(row) == details
    assert json.dumps(typed_details(row).to_json()) == stored


def test_every_intent_with_details_has_its_shape_above() -> None:
    assert {intent for intent, _, details in STORED if type(details) is not Details} == set(DETAILS)
    bases = {Details, Undoable}
    assert {kind for kind in vars(ledger_details).values() if _is_details(kind)} == {*DETAILS.values(), *bases}


def _is_details(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Details)


OLDER = [
    (Intent.SPONSOR, {}, Sponsored(corporate=None)),  # before the sponsor of an approved booking was named
    (Intent.RECORD_CAPTURE, {"payment": 5, "captured_paise": 1, "corporate": 3}, Captured(5, 1)),
]


@pytest.mark.parametrize(("intent", "stored", "details"), OLDER)
def test_older_rows_are_read(intent: Intent, stored: dict[str, object], details: Details) -> None:
    assert typed_details(LedgerEntry(intent=intent, details=stored)) == details


@pytest.mark.parametrize(
    ("intent", "stored", "key"),
    [
        (Intent.START_PAYMENT, {}, "payment"),
        (Intent.START_PAYMENT, {"payment": "5"}, "payment"),
        (Intent.START_PAYMENT, {"payment": True}, "payment"),
        (Intent.RESCHEDULE, {"to": AT.isoformat(), "from_psychologist": 4, "to_psychologist": 9}, "from"),
    ],
)
def test_what_nobody_ever_wrote_is_refused_by_name(intent: Intent, stored: dict[str, object], key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}' is"):
        typed_details(LedgerEntry(intent=intent, details=stored))


def test_details_are_read_only_as_what_their_intent_writes() -> None:
    row = LedgerEntry(intent=Intent.START_PAYMENT, details={"payment": 5})
    assert details_of(row, PaymentStarted).payment == 5
    with pytest.raises(TypeError, match="has PaymentStarted, not Moved"):
        details_of(row, Moved)


@pytest.mark.django_db
@pytest.mark.parametrize("details", [None, PaymentStarted(5)])
def test_a_row_is_not_written_with_the_details_of_another_intent(details: Details | None, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    with pytest.raises(TypeError, match="a row of cancel has Cancelled"):
        record_event(booking, intent=Intent.CANCEL, actor="test", now=now, details=details)
