"""The admin's front page: every line says who waits for what, and leads to where it is dealt with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.access import AccessPolicy
from backend.bookings.guarantees import held_session
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking, DataRequest, Mode, Origin
from backend.core.formatting import money, practice_zone, short_day, short_day_and_time, short_span
from backend.desk.booking.actions.refund import WHY_BY_HAND
from backend.desk.booking.actions.table import action_links
from backend.desk.booking.one_click import OneClick, outcome_clicks, payment_click
from backend.desk.dashboard.queries import SHOWN, UNEXPECTED_FOR, Dashboard, Failure, Untold, dashboard
from backend.desk.display import meets_at, time_left
from backend.desk.navigation import TELL, PageLink, booking_link, visible_bookings
from backend.desk.page import Page
from backend.desk.reports import month_view
from backend.desk.words import message_name
from backend.outbox.models import MessageState, Queue
from backend.payments.models import Payment, Refund, RefundState

MONTH = re.compile(r"\A(\d{4})-(\d{2})\Z")


@dataclass(frozen=True)
class Line:
    """One thing that waits. `tone` is Bootstrap's name of a colour; `phone` is shown where somebody should ring."""

    booking: PageLink
    who: str
    what: str
    when: str = ""
    tone: str = "secondary"
    marks: tuple[str, ...] = ()
    acts: tuple[PageLink, ...] = ()
    phone: str = ""
    place: str = ""  # a meeting link or a room
    clicks: tuple[OneClick, ...] = ()


@dataclass(frozen=True)
class Section:
    """Lines under a title; `more` leads to the rest, where there are more than are shown."""

    name: str
    title: str
    lines: list[Line]
    nothing: str
    more: str = ""


def front(request: HttpRequest) -> HttpResponse:
    """Today for those who see bookings, the list of pages for everybody else."""
    access = AccessPolicy(request.user)
    if not access.sees_bookings:
        return admin.site.index(request)
    now = timezone.now()
    first_day = _month_of(request.GET.get("month", ""), now=now)
    seen = visible_bookings(access)
    found = dashboard(seen, now=now)
    context = {
        **admin.site.each_context(request),
        "title": "Today",
        "now": short_day_and_time(now),
        "sections": _sections(access, found, now=now),
        "sessions": _by_psychologist(access, found.sessions, now=now),
        "are_more_sessions": found.are_more_sessions,
        "numbers": month_view.month_view(seen, first_day, now=now) if access.sees_sums else None,
        "sees_all_numbers": access.sees_numbers,
    }
    return TemplateResponse(request, "admin/desk/today.html", context)


def _month_of(text: str, *, now: datetime) -> date:
    found = MONTH.match(text)
    if found and 1 <= int(found[2]) <= 12 and 2000 <= int(found[1]) <= 2100:
        return date(int(found[1]), int(found[2]), 1)
    return now.astimezone(practice_zone()).date().replace(day=1)


# -- what waits --------------------------------------------------------------------------------------------------------


def _sections(access: AccessPolicy, found: Dashboard, *, now: datetime) -> list[Section]:
    failed = [
        *(_failure(access, failures) for failures in _by_reader(found.failures)),
        *(_refund(access, refund) for refund in found.refunds),
        *(_unexpected(access, payment) for payment in found.unexpected),
    ]
    bookings = reverse("admin:bookings_booking_changelist")
    return [
        _section("waiting", "Waiting for a decision", [_waiting(access, row, now=now) for row in found.waiting],
                 _nothing_waits(access), f"{bookings}?state__exact={State.PENDING}"),
        _section("failed", "Failed", failed, _nothing_failed(access),
                 reverse("admin:outbox_message_changelist") + "?state__exact=dead"),
        _section("asked", "Asked to cancel, not proved yet",
                 [_asked(access, row, now=now) for row in found.asked_to_cancel],
                 "Nobody.", f"{bookings}?waits=cancel"),
        _section("choosing", "Waits for the visitor's choice", [_choosing(access, row) for row in found.choosing],
                 "Nobody is to choose another time.", f"{bookings}?waits=choice"),
        _section("untold", "To tell by telephone", [_untold(access, row) for row in found.untold],
                 "Everybody whom mail does not reach was told.", f"{bookings}?waits=untold"),
        _section("lapsing", "Holds about to lapse", [_lapsing(access, row, now=now) for row in found.lapsing],
                 "None within hours.", f"{bookings}?waits=lapsing"),
        _section("closed", "Booked on a closed day", [_on_closed_day(access, row) for row in found.on_closed_days],
                 "Nobody is booked on a day on which the practice is closed.",
                 reverse("admin:bookings_closedday_changelist")),
        _section("data", "Asked about their data", [_data(row, now=now) for row in found.asked_about_data],
                 "Nobody waits for us to act on their data.", bookings),
        _section("unrecorded", "Outcome not recorded", [_unrecorded(access, row, now=now) for row in found.unrecorded],
                 "Every session has its outcome.", f"{bookings}?waits=outcome"),
        _section("unpaid", _title_of_unpaid(found), [_unpaid(access, row) for row in found.unpaid],
                 "Nothing is owed at the practice.", f"{bookings}?waits=unpaid"),
    ]  # fmt: skip


def _section(name: str, title: str, lines: list[Line], nothing: str, more: str) -> Section:
    return Section(name, title, lines[:SHOWN], nothing, more if len(lines) > SHOWN else "")


def _title_of_unpaid(found: Dashboard) -> str:
    as_of = f" (those of more than a day ago as of {found.unpaid_as_of})" if found.unpaid_as_of else ""
    return f"Held, not paid{as_of}"


def _nothing_waits(access: AccessPolicy) -> str:
    """Who sees only some requests cannot know of the others."""
    if access.sees_all:
        return "Every request is answered."
    return "No request waits for you. Of those that wait for the desk you see none here."


def _nothing_failed(access: AccessPolicy) -> str:
    return "Every mail left, and no money is stuck." if access.sees_all else "Nothing about your bookings."


def _waiting(access: AccessPolicy, booking: Booking, *, now: datetime) -> Line:
    is_unread = getattr(booking, "is_unread", False) and access.reads_message(booking)
    marks = (("unread message",) if is_unread else ()) + (("asked again",) if booking.is_priority else ())
    if booking.is_minor:
        marks += ("minor",)
    due = booking.due_at or now
    hours = (due - now).total_seconds() / 3600
    by = "" if booking.origin == Origin.VISITOR else ", by phone"
    return Line(
        booking_link(booking),
        booking.full_name,
        f"{booking.get_mode_display()}{by}; wants {short_day(booking.preferred_date)}, "
        f"{booking.get_preferred_period_display().lower()}",
        time_left(booking.due_at, now=now) + (" left" if hours > 0 else ""),
        "danger" if hours < 12 else "warning" if hours < 36 else "secondary",
        marks,
        action_links(access, booking, "approve", "reject"),
    )


def _asked(access: AccessPolicy, booking: Booking, *, now: datetime) -> Line:
    asked = booking.cancellation_requested_at or now
    what = f"{booking.get_state_display()}; session {short_day_and_time(booking.slot_start)}"
    return Line(booking_link(booking), booking.full_name, what, f"asked {short_span(now - asked)} ago", "warning",
                acts=action_links(access, booking, "cancel"), phone=access.phone(booking))  # fmt: skip


def _choosing(access: AccessPolicy, booking: Booking) -> Line:
    what = f"{short_day_and_time(booking.slot_start)}, {booking.psychologist}, cannot be held"
    acts = action_links(access, booking, "reschedule", "cancel")
    return Line(booking_link(booking), booking.full_name, what, f"until {short_day_and_time(booking.choose_by)}",
                "warning", acts=acts, phone=access.phone(booking))  # fmt: skip


def _lapsing(access: AccessPolicy, booking: Booking, *, now: datetime) -> Line:
    is_paying = booking.state == State.PAYMENT_PENDING
    left = time_left(booking.due_at, now=now)
    what = f"{money(_owed(booking))} for {short_day_and_time(booking.slot_start)}, {booking.psychologist}"
    acts = action_links(access, booking, "record-payment", "reschedule")
    return Line(booking_link(booking), booking.full_name, what, f"{left} left" if "overdue" not in left else left,
                "warning", ("paying now",) if is_paying else (), acts, access.phone(booking))  # fmt: skip


def _unrecorded(access: AccessPolicy, booking: Booking, *, now: datetime) -> Line:
    return Line(booking_link(booking), booking.full_name, str(booking.psychologist),
                short_day_and_time(booking.slot_start), clicks=outcome_clicks(access, booking, now=now),
                acts=action_links(access, booking, "record-outcome"))  # fmt: skip


def _on_closed_day(access: AccessPolicy, booking: Booking) -> Line:
    return Line(booking_link(booking), booking.full_name, str(booking.psychologist),
                short_day_and_time(booking.slot_start), "danger", phone=access.phone(booking),
                acts=action_links(access, booking, "reschedule", "cancel"))  # fmt: skip


def _data(request: DataRequest, *, now: datetime) -> Line:
    """Carried out by itself on its day; who looks sees what it waits for."""
    booking, left = request.booking, request.deadline - now
    why = f", waits for {request.get_waits_for_display()}" if request.waits_for else ""
    what = f"{request.get_kind_display()}: {short_day_and_time(request.due_at)}{why}"
    answer_by = short_day(request.deadline.astimezone(practice_zone()))
    return Line(booking_link(booking), booking.full_name, what, f"answer by {answer_by}",
                "danger" if left < policy.DATA_REQUEST_PRESSES else "secondary")  # fmt: skip


def _owed(booking: Booking) -> int:
    """As the query that found it has read it."""
    return getattr(booking, "owed_paise", 0)


def _unpaid(access: AccessPolicy, booking: Booking) -> Line:
    left = _owed(booking)
    what = f"{money(left)}, {booking.psychologist}"
    return Line(booking_link(booking), booking.full_name, what, short_day_and_time(booking.slot_start), "warning",
                clicks=payment_click(access, booking, owed_paise=left),
                phone=access.phone(booking))  # fmt: skip


def _untold(access: AccessPolicy, untold: Untold) -> Line:
    booking, what = untold.booking, ", ".join(dict.fromkeys(message_name(each.kind) for each in untold.messages))
    marks = ("ring",) if not booking.email else ("mail does not reach them", "ring")
    acts = (PageLink("Tell", reverse(TELL, args=[booking.pk])),) if access.decides else ()
    return Line(booking_link(booking), booking.full_name, what, short_day_and_time(untold.messages[0].not_before),
                "warning", marks, acts, access.phone(booking))  # fmt: skip


# -- what failed -------------------------------------------------------------------------------------------------------


def _by_reader(failures: list[Failure]) -> list[list[Failure]]:
    """Those about one booking to one reader, or to the gateway, make one line."""
    found: dict[tuple[int | None, str, str], list[Failure]] = {}
    for failure in failures:
        message = failure.message
        found.setdefault((message.booking_id, message.queue, message.recipient), []).append(failure)
    return list(found.values())


def _failure(access: AccessPolicy, failures: list[Failure]) -> Line:
    failure = failures[0]
    message, booking = failure.message, failure.booking
    kinds = ", ".join(f"“{message_name(each.message.kind)}”" for each in failures)
    is_mail = message.queue == Queue.MAIL
    missed = "may have reached nobody:" if message.state == MessageState.UNKNOWN else "did not reach"
    what = f"{kinds} {missed} {message.recipient}" if is_mail else f"Gateway: {kinds} failed"
    row = PageLink("Message", reverse("admin:outbox_message_change", args=[message.pk]))
    may_open = access.user.has_perm("outbox.view_message")
    why = message.last_error[:120]
    return Line(
        booking_link(booking) if booking else row,
        booking.full_name if booking else "",
        f"{what}. {why}",
        short_day_and_time(message.settled_at),
        "danger",
        ("ring",) if failure.leaves_visitor_unreached else (),
        (row,) if may_open else (),
        access.phone(booking) if booking and failure.leaves_visitor_unreached else "",
    )


def _refund(access: AccessPolicy, refund: Refund) -> Line:
    booking = refund.payment.booking
    failed = refund.state in WHY_BY_HAND
    what = f"{money(refund.amount_paise)} {WHY_BY_HAND.get(RefundState(refund.state), 'to be handed out at the desk')}"
    return Line(booking_link(booking), booking.full_name, f"Refund of {what}", short_day_and_time(refund.queued_at),
                "danger" if failed else "warning", ("ring",) if failed else (),
                action_links(access, booking, "refund-made"), access.phone(booking))  # fmt: skip


def _unexpected(access: AccessPolicy, payment: Payment) -> Line:
    booking = payment.booking
    what = f"{money(payment.captured_paise)} arrived that nobody expected; it goes back by itself"
    row = PageLink("Payment", reverse("admin:payments_payment_change", args=[payment.pk]))
    acts = (row,) if access.user.has_perm("payments.view_payment") else ()
    return Line(booking_link(booking), booking.full_name, f"{what} (shown for {short_span(UNEXPECTED_FOR)})",
                short_day_and_time(payment.captured_at), "warning", acts=acts)  # fmt: skip


# -- today's sessions --------------------------------------------------------------------------------------------------


def _by_psychologist(access: AccessPolicy, bookings: list[Booking], *, now: datetime) -> list[tuple[str, list[Line]]]:
    found: dict[int | None, tuple[str, list[Line]]] = {}
    for booking in bookings:
        _, lines = found.setdefault(booking.psychologist_id, (str(booking.psychologist), []))
        lines.append(_session(access, booking, now=now))
    return list(found.values())


def _session(access: AccessPolicy, booking: Booking, *, now: datetime) -> Line:
    session, zone = held_session(booking), practice_zone()
    when = f"{session.start.astimezone(zone):%H:%M} to {session.end.astimezone(zone):%H:%M}"
    is_now, is_over = session.start <= now < session.end, session.end <= now
    state = (booking.get_outcome_display() if is_over else booking.get_state_display()).lower()
    is_held = booking.state in TAKES_PLACE
    clicks = outcome_clicks(access, booking, now=now)
    next_act = "record-outcome" if is_held and session.start <= now else "reschedule"
    owed_paise = _owed(booking)
    return Line(
        booking_link(booking),
        booking.full_name,
        state,
        when,
        "success" if is_held else "warning",
        (("now",) if is_now else ()) + (("visitor chooses another time",) if booking.choose_by else ()),
        () if clicks else action_links(access, booking, next_act),
        clicks=clicks + payment_click(access, booking, owed_paise=owed_paise),
        place=meets_at(booking) if booking.mode == Mode.ONLINE else booking.address,
    )


PAGE = Page("", "today", lambda _access: True, front)  # whoever sees no bookings gets the list of pages
