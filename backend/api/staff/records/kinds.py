"""Every kind of row that staff keep or look up, with what narrows its list."""

from __future__ import annotations

from typing import Any

from backend.accounts.scopes import Area
from backend.api.fields import ChoiceField, IdField, LineField
from backend.api.staff.docs import CorporateAnswer, LocationAnswer, NamedAnswer
from backend.api.staff.lists import any_of, instant
from backend.api.staff.records import answers, requests
from backend.api.staff.records.record import Record
from backend.audit.models import AccessRecord, Kind
from backend.bookings.models import ClosedDay, DataRequest, LedgerEntry, RequestKind, RequestState, SlotClaim
from backend.ops.models import Act, TimerRun, Verb
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import InboxEvent, Payment, PaymentMethod, PaymentState, Refund, RefundState
from backend.people.models import Client, Corporate, Enquiry, Language, Location, Psychologist, Specialization


def _since(*names: str) -> dict[str, Any]:
    """From and until, of each instant."""
    return {f"{name}__{lookup}": instant() for name in names for lookup in ("gte", "lt")}


def _words(**lists: Any) -> dict[str, Any]:
    return {
        f"{name}__in": any_of(ChoiceField("Please choose some of the words.", words)) for name, words in lists.items()
    }


def _ids(*names: str) -> dict[str, Any]:
    return {f"{name}__in": any_of(IdField("Please give ids.")) for name in names}


def _bookings(path: str = "booking") -> dict[str, Any]:
    return {f"{path}__acknowledgement_id__in": any_of(LineField("Please give acknowledgement ids.", max_length=40))}


PEOPLE = (
    Record(
        "clients", Client, Area.CLIENTS, answers.ClientRowAnswer, answers.ClientAnswer, requests.ClientRequest,
        filters=_ids("id") | _since("created_at"), searches=True, notes=("phone_number",),
    ),
    Record(
        "enquiries", Enquiry, Area.CLIENTS, answers.EnquiryRowAnswer, answers.EnquiryAnswer,
        filters=_since("received_at"), searches=True,
    ),
    Record(
        "data-requests", DataRequest, Area.CLIENTS, answers.DataRequestAnswer,
        filters=_words(kind=RequestKind, state=RequestState) | _since("asked_at", "deadline") | _bookings(),
        beside=("booking",),
    ),
)  # fmt: skip
PRACTICE = (
    Record(
        "psychologists", Psychologist, Area.PRACTICE, answers.PsychologistAnswer, takes=requests.PsychologistRequest,
        filters=_ids("id", "languages", "specializations"), order="full_name", searches=True, is_choice=True,
        beside=("location",), behind=("languages", "specializations"),
    ),
    Record(
        "locations", Location, Area.PRACTICE, LocationAnswer, takes=requests.LocationRequest,
        filters=_ids("id"), order="name", searches=True, is_choice=True,
    ),
    Record(
        "corporates", Corporate, Area.PRACTICE, CorporateAnswer, answers.SponsorAnswer, requests.CorporateRequest,
        filters=_ids("id"), order="name", searches=True, is_choice=True,
    ),
    Record("languages", Language, Area.PRACTICE, NamedAnswer, takes=requests.NameRequest, order="name", searches=True),
    Record(
        "specializations", Specialization, Area.PRACTICE, NamedAnswer, takes=requests.SpecializationRequest,
        order="name", searches=True,
    ),
    Record("closed-days", ClosedDay, Area.PRACTICE, answers.ClosedDayAnswer, takes=requests.ClosedDayRequest),
    Record(
        "held-slots", SlotClaim, Area.PRACTICE, answers.HeldSlotAnswer,
        filters=_ids("psychologist_id") | _since("blocked_from", "blocked_until") | _bookings(), beside=("booking",),
    ),
)  # fmt: skip
MONEY = (
    Record(
        "payments", Payment, Area.PAYMENTS, answers.PaymentRowAnswer,
        filters=_words(state=PaymentState, method=PaymentMethod) | _since("started_at", "captured_at") | _bookings(),
        searches=True, beside=("booking",),
    ),
    Record(
        "refunds", Refund, Area.PAYMENTS, answers.RefundRowAnswer,
        filters=_words(state=RefundState) | _since("queued_at", "settled_at") | _bookings("payment__booking"),
        searches=True, beside=("payment__booking",),
    ),
    Record(
        "gateway-events", InboxEvent, Area.PAYMENTS, answers.GatewayEventAnswer, filters=_since("received_at"),
        searches=True,
    ),
)  # fmt: skip
HISTORY = (
    Record(
        "ledger", LedgerEntry, Area.AUDIT, answers.LedgerRowAnswer, filters=_since("at") | _bookings(),
        searches=True, beside=("booking",),
    ),
    Record(
        "access-records", AccessRecord, Area.AUDIT, answers.AccessRecordAnswer,
        filters=_words(kind=Kind) | _since("at"), searches=True,
    ),
    Record("acts", Act, Area.AUDIT, answers.ActAnswer, filters=_words(verb=Verb) | _since("at"), searches=True),
)  # fmt: skip
OPERATIONS = (
    Record(
        "messages", Message, Area.OPERATIONS, answers.OutboxMessageAnswer,
        filters=_words(state=MessageState, queue=Queue) | _since("created_at", "not_before", "settled_at"),
        searches=True,
    ),
    Record(
        "timer-runs", TimerRun, Area.OPERATIONS, answers.TimerRunAnswer, filters=_since("started_at"), searches=True
    ),
)  # fmt: skip
RECORDS = (*PEOPLE, *PRACTICE, *MONEY, *HISTORY, *OPERATIONS)
