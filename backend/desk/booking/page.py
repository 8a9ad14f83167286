"""Bookings as staff see them: a list to work from, and one page that tells everything and leads to every action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backend.accounts.roles import Ability, masked, may
from backend.bookings import queries
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.machine import ACTIVE, State
from backend.bookings.models import Booking
from backend.core.formatting import NOTHING, short_day, short_day_and_time
from backend.desk.booking.slot_choices import choices
from backend.desk.booking.timeline import timeline
from backend.desk.calendar.panel import CalendarPages
from backend.desk.display import badge, mark, money, sponsor, time_left
from backend.desk.list.filters import PRIORITY_FIRST, Deadline, Money, PreferredDate, SessionDate, Waiting
from backend.desk.list.page import BookingList
from backend.scheduling.suggestions import suggestions

CHANGE = "admin:bookings_booking_change"
SLOTS_SHOWN = 6  # beside a request; its approval page has more


@admin.register(Booking)
class BookingAdmin(CalendarPages, BookingList):
    list_display = ["acknowledgement_id", "status", "full_name", "preferred", "mode", "psychologist", "slot", "left"]
    list_filter = ["state", Deadline, Waiting, SessionDate, PreferredDate, "psychologist", "mode", Money, "corporate"]
    ordering = [PRIORITY_FIRST, "-id"]
    list_select_related = ["psychologist"]
    search_fields = ["acknowledgement_id", "full_name", "email", "phone_number"]
    search_help_text = "Id, name, address or phone"
    fieldsets = [
        (None, {"fields": ["status", "left", "opened", "verified", "closed", "origin", "client", "series"]}),
        (
            "What the visitor asked for",
            {
                "fields": [
                    "full_name", "email", "phone_number", "place", "years", "gender", "emergency_contact",
                    "preferred", "wish", "mode", "payment_mode", "sponsor_code", "user_message",
                ]
            },
        ),
        (
            "What was settled",
            {
                "fields": [
                    "psychologist", "slot", "moved", "meeting_link", "address", "price", "payment", "payable",
                    "corporate", "sponsored", "consent", "outcome", "note_to_visitor", "refund_note",
                ]
            },
        ),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        """The message is decrypted on the one page that shows it, which shows everybody around the booking, too."""
        rows, match = super().get_queryset(request), request.resolver_match
        if match is not None and match.url_name == "bookings_booking_change":
            return rows.select_related("client", "psychologist", "corporate", "preferred_psychologist")
        return rows.defer("user_message")

    def get_fieldsets(self, request: HttpRequest, obj: Booking | None = None) -> Any:
        """With what the account may not read in words that do not tell it."""
        access = AccessPolicy(request.user)
        shown: dict[str, str] = (
            {} if access.sees_phones else {"phone_number": "masked_phone", "emergency_contact": "masked_contact"}
        )
        if obj is None or not access.reads_message(obj):
            shown["user_message"] = "hidden_message"
        if not may(request.user, Ability.SEE_CLIENTS):
            shown["client"] = "person"
        found = [
            (name, {**options, "fields": [shown.get(str(field), field) for field in options["fields"]]})
            for name, options in self.fieldsets
        ]
        if obj is not None and obj.state == State.PENDING and access.may_act(obj, Scope.UNASSIGNED):
            found[2] = ("Slots that fit", {"fields": ["fitting", "corporate", "sponsored"]})
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["timeline"] = timeline(context["original"], request.user)
        context["now"] = timezone.now()
        return super().render_change_form(request, context, *args, **kwargs)

    def about(self, booking: Booking, access: AccessPolicy) -> list[tuple[str, str]]:
        payment = booking.get_payment_mode_display()
        if booking.corporate:
            is_settled = booking.state != State.PENDING
            payment = f"sponsored by {booking.corporate}" if is_settled else f"{payment}, unless the sponsor covers it"
        facts = [
            ("State", booking.get_state_display()),
            ("Name", booking.full_name),
            ("Age", self.years(booking)),
            ("From", self.place(booking)),
            ("Preferred", self.preferred(booking)),
            ("Wish", self.wish(booking)),
            ("Session", booking.get_mode_display()),
            ("Payment", f"{payment}, {self.payment(booking)}"),
            (
                "Message",
                booking.user_message or NOTHING if access.reads_message(booking) else self.hidden_message(booking),
            ),
            ("Time left", self.left(booking)),
        ]
        if booking.corporate and booking.state == State.PENDING:
            facts.insert(-2, ("Sponsor", sponsor(booking.corporate, now=timezone.now())))
        if booking.slot_start:
            settled = [("Psychologist", str(booking.psychologist)), ("Slot", self.slot(booking))]
            facts[6:6] = [*settled, ("Amount", self.price(booking))]
        return facts

    # -- what is shown ------------------------------------------------------------------------------------------------

    @admin.display(description="state", ordering="state")
    def status(self, booking: Booking) -> SafeString:
        is_again = booking.is_priority and booking.state in ACTIVE
        marks = mark("asked again" if is_again else "") + mark(
            "asked to cancel" if booking.cancellation_requested_at else ""
        )
        reason = f" {booking.get_reason_display()}" if booking.reason else ""
        return format_html("{}{}{}", badge(booking.state), marks, reason)

    @admin.display(description="time left", ordering="due_at")
    def left(self, booking: Booking) -> str:
        return time_left(booking.due_at, now=timezone.now())

    @admin.display(description="preferred", ordering="preferred_date")
    def preferred(self, booking: Booking) -> str:
        hours = ""
        if booking.preferred_time_start and booking.preferred_time_end:
            hours = f" {booking.preferred_time_start:%H:%M} to {booking.preferred_time_end:%H:%M}"
        return f"{short_day(booking.preferred_date)}, {booking.get_preferred_period_display().lower()}{hours}"

    @admin.display(description="wish (not held)")
    def wish(self, booking: Booking) -> str:
        who = str(booking.preferred_psychologist or "")
        at = short_day_and_time(booking.preferred_slot_start) if booking.preferred_slot_start else ""
        return ", ".join(part for part in (who, at) if part) or NOTHING

    @admin.display(description="client")
    def person(self, booking: Booking) -> str:
        return str(booking.client or NOTHING)

    @admin.display(description="phone number")
    def masked_phone(self, booking: Booking) -> str:
        return masked(booking.phone_number) or NOTHING

    @admin.display(description="emergency contact")
    def masked_contact(self, booking: Booking) -> str:
        return masked(booking.emergency_contact) or NOTHING

    @admin.display(description="user message")
    def hidden_message(self, _booking: Booking) -> str:
        return "For the psychologist alone."

    @admin.display(description="slot", ordering="slot_start")
    def slot(self, booking: Booking) -> str:
        return short_day_and_time(booking.slot_start)

    @admin.display(description="moved by us")
    def moved(self, booking: Booking) -> str:
        return short_day_and_time(booking.moved_by_staff_at)

    @admin.display(description="booked from, and next sessions")
    def series(self, booking: Booking) -> str | SafeString:
        rows = [*([booking.follows] if booking.follows else []), *booking.follow_ups.order_by("slot_start")]
        line = '<a href="{}">{}</a> {} {}'
        links = (
            (reverse(CHANGE, args=[row.pk]), row, short_day_and_time(row.slot_start), badge(row.state)) for row in rows
        )
        return format_html_join(SafeString("<br>"), line, links) or NOTHING

    @admin.display(description="opened")
    def opened(self, booking: Booking) -> str:
        return short_day_and_time(booking.created_at)

    @admin.display(description="address proved")
    def verified(self, booking: Booking) -> str:
        return short_day_and_time(booking.verified_at)

    @admin.display(description="closed")
    def closed(self, booking: Booking) -> str:
        return short_day_and_time(booking.closed_at)

    @admin.display(description="from")
    def place(self, booking: Booking) -> str:
        return ", ".join(part for part in (booking.city, booking.region, booking.country) if part) or NOTHING

    @admin.display(description="age")
    def years(self, booking: Booking) -> str:
        if booking.age is None:
            return NOTHING
        return f"{booking.age}, a minor" if booking.is_minor else str(booking.age)

    @admin.display(description="amount")
    def price(self, booking: Booking) -> str:
        return money(booking.amount_paise)

    @admin.display(description="payment")
    def payment(self, booking: Booking) -> str:
        return queries.payment_status(booking).replace("_", " ")

    @admin.display(description="to be paid by")
    def payable(self, booking: Booking) -> str:
        return short_day_and_time(booking.pay_by)

    @admin.display(description="from the sponsor's month")
    def sponsored(self, booking: Booking) -> str:
        if booking.corporate and booking.state == State.PENDING:
            return sponsor(booking.corporate, now=timezone.now())
        if booking.sponsored_month is None:
            return NOTHING
        returned = short_day_and_time(booking.sponsorship_returned_at)
        return f"{booking.sponsored_month:%B %Y}" + (f", given back {returned}" if returned != NOTHING else "")

    @admin.display(description="guardian's consent")
    def consent(self, booking: Booking) -> str:
        if booking.guardian_consent_at is None:
            return NOTHING
        return f"recorded by {booking.guardian_consent_by}, {short_day_and_time(booking.guardian_consent_at)}"

    @admin.display(description="free slots, best first")
    def fitting(self, booking: Booking) -> SafeString:
        """Beside what was asked for: what would fit, each a way into the approval."""
        found = suggestions(booking, now=timezone.now(), limit=SLOTS_SHOWN)
        labels = choices(one.slot for one in found)
        slots = [
            {"value": value, "label": label, "fits": one.fits}
            for one, (value, label) in zip(found, labels, strict=True)
        ]
        return render_to_string("admin/bookings/booking/fitting.html", {"booking": booking, "slots": slots})
