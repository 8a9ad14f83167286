"""The page of a caller: the request is recorded, a slot may be settled at once, and the caller hears the id."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.intents import Intent
from backend.bookings.lifecycle.approval import approve
from backend.bookings.lifecycle.desk_money import record_desk_payment
from backend.bookings.lifecycle.front_desk import RecordedRequest, create_by_staff
from backend.bookings.lifecycle.preview import preview_transaction
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import ACTIVE
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.refusals import staff_sentence
from backend.core.errors import Refused
from backend.desk import consequences
from backend.desk.consequences import Consequences
from backend.desk.forms import refuse
from backend.desk.navigation import booking_now, to_booking
from backend.desk.page import Page, render
from backend.desk.phone import known_clients
from backend.desk.phone.form import CallerForm, Paying
from backend.desk.result import describe_result

ASKS = "Fill in what the caller asks for, then see what follows."


def new(request: HttpRequest) -> HttpResponse:
    """The request of somebody on the phone; on success the booking's page shows its id.

    Sent with `preview`, it is tried and told, and nothing is recorded.
    """
    access, now = AccessPolicy(request.user), timezone.now()
    is_post = request.method == "POST"
    given = request.POST if is_post else request.GET
    known = known_clients.like(given.get("like", ""), access)
    initial = {**request.GET.dict(), **(known_clients.filled(known, access) if known else {})}
    form = CallerForm(request.POST if is_post else None, now=now, known=known, initial=initial)
    status, follows = 200, consequences.not_yet(ASKS)
    if is_post:
        answer = _taken(request, form, now=now)
        if isinstance(answer, HttpResponse):
            return answer
        status, follows = answer
    find = request.GET.get("find", "")
    return render(
        request,
        "admin/bookings/booking/new.html",
        title="New booking",
        model=Booking,
        status=status,
        form=form,
        known=known,
        find=find,
        people=known_clients.known(find, access),
        consequences=follows,
    )


def _taken(request: HttpRequest, form: CallerForm, *, now: datetime) -> HttpResponse | tuple[int, Consequences]:
    """Recorded, and where to go; else the page's status, and what would follow."""
    actor, asks = actors.for_account(request.user), consequences.not_yet(ASKS)
    if not form.is_valid():
        return 400, asks
    try:
        if "preview" in request.POST:
            return 200, what_follows(form, actor=actor, now=now)
        recorded = create_by_staff(form.draft(), actor=actor, now=now)
    except Refused as refused:
        return refuse(form, refused), asks
    return _recorded(request, form, recorded)


def _recorded(request: HttpRequest, form: CallerForm, recorded: RecordedRequest) -> HttpResponse:
    """The request has its id; a slot that was chosen is settled now, and told if it could not be."""
    booking, problem = recorded.booking, None
    if recorded.is_new:
        try:
            settle(booking, form, actor=actors.for_account(request.user), now=timezone.now())
        except Refused as refused:
            problem = refused
    booking = booking_now(booking.pk)
    level = messages.SUCCESS if recorded.is_new else messages.WARNING
    messages.add_message(request, level, told(replace(recorded, booking=booking)))
    if problem is not None:
        messages.error(request, f"What you settled beside it was not done: {staff_sentence(problem, booking)}")
    return to_booking(booking.pk)


def settle(booking: Booking, form: CallerForm, *, actor: str, now: datetime) -> None:
    """Approve the slot that was chosen, and record the money if it was handed over: two decisions, each by itself.

    The request stands whatever becomes of them. Refuses: as approve and record_desk_payment.
    """
    chosen = form.chosen
    if chosen is None:
        return
    approval = Approval(chosen.psychologist_id, chosen.start, guardian_consent=form.guardian(), is_undoable=True)
    approve(booking.pk, approval, actor=actor, now=now)
    if form.cleaned_data.get("paying") == Paying.DESK:
        record_desk_payment(booking.pk, actor=actor, now=now)


def told(recorded: RecordedRequest) -> str:
    """What the receptionist reads, and reads out."""
    booking = recorded.booking
    if not recorded.is_new:
        by = LedgerEntry.objects.filter(booking=booking, intent=Intent.CREATE_BY_STAFF).values_list("actor", flat=True)
        return f"This request was recorded a moment ago as {booking}, by {actors.describe(by[0])}. Nothing was added."
    others = Booking.objects.filter(client=booking.client_id, state__in=ACTIVE).exclude(pk=booking.pk)
    beside = ", ".join(f"{other}, {other.get_state_display()}" for other in others)
    also = f" Also open under this address: {beside}." if beside else ""
    return f"The caller's id is {booking}. {describe_result(booking)}{also}"


def what_follows(form: CallerForm, *, actor: str, now: datetime) -> Consequences:
    """What recording the request and settling its slot would do; nothing is done. Refuses: as create_by_staff."""
    with preview_transaction() as witness:
        recorded = create_by_staff(form.draft(), actor=actor, now=now)
        if not recorded.is_new:
            return consequences.not_yet(told(recorded))
        try:
            settle(recorded.booking, form, actor=actor, now=now)
        except Refused as refused:
            more = f"What you settle beside it is refused: {staff_sentence(refused, recorded.booking)}"
            return consequences.told(witness.change(recorded.booking.pk))._replace(unknown=more)
        return consequences.told(witness.change(recorded.booking.pk))


PAGE = Page("new/", "bookings_booking_new", lambda access: access.decides, new)
