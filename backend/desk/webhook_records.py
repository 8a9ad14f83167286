"""Where events are sent, and how each delivery went: subscriptions are made, changed, given secrets and ended here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.core.admin_pages import ListOfPeople, ReadOnly
from backend.core.formatting import NOTHING, short_day_and_time
from backend.core.outgoing import called_address
from backend.core.outgoing.called_address import AddressRefused
from backend.desk.long_lists import LongList
from backend.desk.page import render
from backend.desk.words import message_name
from backend.webhooks import owing, subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Delivery, EndedWhy, Subscription


class SubscriptionForm(forms.ModelForm[Subscription]):
    """The address is judged when it is saved, and again before each call."""

    events = forms.MultipleChoiceField(
        choices=[(one.value, f"{one.value}: {one.label}") for one in EventType], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Subscription
        fields = ("name", "address", "events")

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        try:
            called_address.check(address)
        except AddressRefused as error:
            raise forms.ValidationError(str(error)) from error
        return address


@admin.register(Subscription)
class SubscriptionAdmin(ListOfPeople, admin.ModelAdmin[Subscription]):
    form = SubscriptionForm
    list_display = ["name", "state", "address", "made"]
    list_filter = ["ended_why"]
    search_fields = ["name"]
    search_help_text = "Name"
    actions = ["give_new_secret", "end"]
    readonly_fields = ["state", "made", "created_by"]
    fields = ["name", "address", "events", "state", "made", "created_by"]

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """It is ended, and stays with its log."""
        return False

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        if not change:
            obj.created_at, obj.created_by = timezone.now(), actors.for_account(request.user)
        elif "address" in form.changed_data:
            vars(obj).update(subscriptions.UNTRIED)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Subscription, *_: Any, **__: Any) -> HttpResponse:
        """Its secret, this once."""
        return self._secret_page(request, obj)

    @admin.action(description="Give a new secret; the one before signs beside it for a day", permissions=["change"])
    def give_new_secret(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> HttpResponse | None:
        rows = list(chosen.filter(ended_at=None)[:2])
        if len(rows) != 1:
            messages.error(request, "Choose one that has not ended.")
            return None
        return self._secret_page(request, rows[0])

    @admin.action(description="End: nothing more is sent", permissions=["change"])
    def end(self, request: HttpRequest, chosen: QuerySet[Subscription]) -> None:
        ended = [subscriptions.end(row, EndedWhy.BY_STAFF, now=timezone.now()) for row in chosen]
        messages.success(request, f"Ended: {sum(ended)}.")

    def _secret_page(self, request: HttpRequest, row: Subscription) -> HttpResponse:
        secret = subscriptions.rotate_secret(row, now=timezone.now())
        template = "admin/webhooks/secret.html"
        return render(request, template, title="Secret", model=Subscription, row=row, secret=secret)

    @admin.display(description="state")
    def state(self, row: Subscription) -> str:
        if row.ended_at is not None:
            return f"{row.get_ended_why_display()}, {short_day_and_time(row.ended_at)}"
        return "Active" if row.failing_since is None else f"Takes nothing since {short_day_and_time(row.failing_since)}"

    @admin.display(description="since", ordering="created_at")
    def made(self, row: Subscription) -> str:
        return short_day_and_time(row.created_at) if row.created_at else NOTHING


@admin.register(Delivery)
class DeliveryAdmin(LongList, ReadOnly, admin.ModelAdmin[Delivery]):
    list_display = ["when", "event", "subscription", "status", "trouble", "milliseconds"]
    list_filter = ["subscription", "status", ("at", admin.DateFieldListFilter)]
    list_select_related = ["subscription", "message"]
    actions = ["send_again"]
    fields = ["when", "event", "subscription", "status", "trouble", "milliseconds", "webhook_id", "step"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_subscription")

    @admin.action(description="Send again, under the same id", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """Each event once, however often it was tried."""
        ids = set(chosen.order_by().values_list("message", flat=True))
        sent = [owing.send_again(one, now=timezone.now()) for one in ids]
        messages.success(request, f"Sent again: {sum(sent)}. On their way already, or too old: {sent.count(False)}.")

    @admin.display(description="when", ordering="at")
    def when(self, row: Delivery) -> str:
        return short_day_and_time(row.at)

    @admin.display(description="event")
    def event(self, row: Delivery) -> str:
        return message_name(row.message.kind)

    @admin.display(description="webhook-id")
    def webhook_id(self, row: Delivery) -> str:
        return str(row.message.uuid)

    @admin.display(description="step of the booking")
    def step(self, row: Delivery) -> str:
        return str(row.message.ledger_sequence)
