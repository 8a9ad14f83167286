"""The outbox as staff see it: what is owed, what was sent, what was given up. Nothing can be edited."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.accounts.roles import Ability, has_any_permission
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.core.admin_pages import ListOfPeople, ReadOnly
from backend.core.formatting import NOTHING, short_day_and_time
from backend.desk.display import fate, unreported
from backend.desk.long_lists import LongList
from backend.desk.whole_ids import FoundByIds
from backend.desk.words import message_name
from backend.outbox.models import Message


def _reads_mails(request: HttpRequest) -> bool:
    return has_any_permission(request.user, Ability.SEE_BOOKINGS, Ability.DECIDE)


ATTEMPTS = ("attempts", "may_have_left", "hand_overs", "last_error")


@admin.register(Message)
class MessageAdmin(FoundByIds, LongList, ListOfPeople, ReadOnly, admin.ModelAdmin[Message]):
    list_display = ["what", "booking", "fate", "attempts", "due", "last_error", "recipient", "queue"]
    list_filter = ["state", "queue", ("not_before", admin.DateFieldListFilter)]
    of_booking = "booking_id"
    search_fields = ["=booking_id", "recipient", "kind", "dedupe_key", "=correlation_id"]
    search_help_text = "Acknowledgement id, address, kind or correlation id"
    fieldsets = [
        (
            None,
            {"fields": ["what", "queue", "booking", "recipient", "fate", "attempts", "may_have_left", "last_error"]},
        ),
        (
            "When",
            {
                "fields": [
                    "created",
                    "due",
                    "next_attempt",
                    "lease_until",
                    "first_attempt",
                    "settled",
                    "reported",
                    "blanked",
                ]
            },
        ),
        ("What it says", {"fields": ["ledger_sequence", "subject_id", "says"]}),
        ("Trace", {"fields": ["kind", "uuid", "dedupe_key", "fence", "correlation_id"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """With the id by which people call a booking."""
        name = Booking.objects.filter(pk=OuterRef("booking_id")).values("acknowledgement_id")
        return super().get_queryset(request).annotate(of_booking=Subquery(name))

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        """What a mail says is for those who may read the booking: an operator mends without it."""
        shown = super().get_fieldsets(request, obj)
        if _reads_mails(request):
            return shown
        return [(name, options) for name, options in shown if "says" not in options["fields"]]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """What a mail says may quote a note."""
        message = kwargs.get("obj")
        if message is not None and _reads_mails(request) and message.context:
            disclosures.note_subject("booking", filter(None, [message.booking_id]), "mail")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="what", ordering="kind")
    def what(self, message: Message) -> str:
        return message_name(message.kind)

    @admin.display(description="context")
    def says(self, message: Message) -> str:
        said = message.context
        return json.dumps(said, ensure_ascii=False) if isinstance(said, dict) else str(said or NOTHING)

    @admin.display(description="booking", ordering="booking_id")
    def booking(self, message: Message) -> str:
        if message.booking_id is None:
            return NOTHING
        url = reverse("admin:bookings_booking_change", args=[message.booking_id])
        return format_html('<a href="{}">{}</a>', url, getattr(message, "of_booking", None) or message.booking_id)

    @admin.display(description="state", ordering="state")
    def fate(self, message: Message) -> SafeString:
        word, colour = fate(message)
        return format_html('<span class="badge text-bg-{}">{}</span>', colour, word)

    @admin.display(description="not before", ordering="not_before")
    def due(self, message: Message) -> str:
        return short_day_and_time(message.not_before)

    @admin.display(description="created")
    def created(self, message: Message) -> str:
        return short_day_and_time(message.created_at)

    @admin.display(description="next attempt")
    def next_attempt(self, message: Message) -> str:
        return short_day_and_time(message.next_attempt_at)

    @admin.display(description="leased until")
    def lease_until(self, message: Message) -> str:
        return short_day_and_time(message.lease_expires_at)

    @admin.display(description="first attempt")
    def first_attempt(self, message: Message) -> str:
        return short_day_and_time(message.frozen_at)

    @admin.display(description="settled")
    def settled(self, message: Message) -> str:
        return short_day_and_time(message.settled_at)

    @admin.display(description="reported by the provider")
    def reported(self, message: Message) -> str:
        return short_day_and_time(message.delivery_at) if message.delivery_at else unreported(message)

    @admin.display(description="blanked")
    def blanked(self, message: Message) -> str:
        return short_day_and_time(message.blanked_at)
