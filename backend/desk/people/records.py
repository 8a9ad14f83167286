"""The people of the practice, editable by staff, every edit kept in the history; and what was written to us."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle import redaction
from backend.core import disclosures
from backend.core.admin_pages import ListOfPeople, ReadOnly
from backend.core.encryption import open_texts
from backend.core.formatting import short_day_and_time
from backend.desk import readings
from backend.desk.long_lists import LongList
from backend.desk.people import erase, readers
from backend.people import intake, phones
from backend.people.forms import EmailAddressField, IntakeTextField, place_phone_number
from backend.people.models import Client, Enquiry, Language, Location, Specialization


class WithHistory(SimpleHistoryAdmin):  # type: ignore[misc]  # the library has no types
    """The library crashes on ids that are no numbers, and writes the times of versions without their zone."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        answer: HttpResponse = super().history_view(request, _number(object_id), extra_context)
        return answer

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        numbers = (_number(object_id), _number(version_id))
        answer: HttpResponse = super().history_form_view(request, *numbers, extra_context)
        return answer

    def render_history_view(
        self, request: HttpRequest, template: str, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        for version in context.get("page_obj", ()):
            open_texts(version)
            version.history_date = short_day_and_time(version.history_date)
        answer: HttpResponse = super().render_history_view(request, template, context, **kwargs)
        return answer


def _number(typed: str) -> str:
    """A row's id as an address names it."""
    if not re.fullmatch("[0-9]{1,18}", typed):
        raise Http404
    return typed


class ClientForm(forms.ModelForm[Client]):
    """A client's own words are judged as when they ask for a session; what is not known yet stays empty."""

    email = EmailAddressField(required=False, help_text="Empty only for who called and gave none.")
    full_name = IntakeTextField(intake.FULL_NAME, required=False)
    phone_number = IntakeTextField(intake.PHONE_NUMBER, required=False)
    city = IntakeTextField(intake.CITY, required=False)
    region = IntakeTextField(intake.REGION, label="State")
    country = IntakeTextField(intake.COUNTRY, required=False)
    emergency_contact = IntakeTextField(intake.EMERGENCY_CONTACT, required=False)

    class Meta:
        model = Client
        exclude = ["created_at"]  # noqa: DJ006  # the page shows the rest, and sets this one

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        place_phone_number(self)
        return typed

    def clean_email(self) -> str:
        """An address stays, and is one client's; who called and gave none may go on without."""
        address: str = self.cleaned_data["email"]
        if not address and (self.instance.pk is None or self.initial["email"]):
            raise forms.ValidationError(intake.EMAIL.ask)
        if Client.at(address).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Client with this Email already exists.")
        return address


@admin.register(Client)
class ClientAdmin(LongList, ListOfPeople, WithHistory):
    form = ClientForm
    notes_in_list = ("phone_number",)
    list_display = ["full_name_or_address", "email", "phone", "city", "country", "since"]
    search_fields = ["email", "full_name", "phone_number"]
    search_help_text = "Address, name or phone"
    ordering = ["-id"]
    readonly_fields = ["since"]

    def get_urls(self) -> list[URLPattern]:
        return [readers.PAGE.url(self.admin_site), erase.PAGE.url(self.admin_site), *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Client | None = None,
    ) -> HttpResponse:
        """Also of a version of the history, which the library draws by the same."""
        is_known = obj is not None and obj.pk is not None
        if obj is not None and is_known:
            disclosures.note(obj, "phone_number")
        context["may_erase"] = is_known and erase.may_open(AccessPolicy(request.user))
        context["may_see_readers"] = is_known and readings.may_see(AccessPolicy(request.user))
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    def delete_model(self, _request: HttpRequest, obj: Client) -> None:
        """Whom nothing holds any more, with all earlier versions."""
        redaction.forget([obj.pk])

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[Client]) -> None:
        redaction.forget([client.pk for client in queryset])

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        answer = super().history_form_view(request, object_id, version_id, extra_context)
        disclosures.note_ids(Client, [int(object_id)], "phone_number", "emergency_contact")
        return answer

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        answer = super().history_view(request, object_id, extra_context)
        disclosures.note_ids(Client, [int(object_id)], "phone_number", "emergency_contact")
        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Client], search_term: str
    ) -> tuple[QuerySet[Client], bool]:
        """A telephone number is found however it is written."""
        found: tuple[QuerySet[Client], bool] = super().get_search_results(
            request, queryset, phones.sought(search_term) or search_term
        )
        return found

    @admin.display(description="name", ordering="full_name")
    def full_name_or_address(self, client: Client) -> str:
        return str(client)

    @admin.display(description="telephone number")
    def phone(self, client: Client) -> str:
        return phones.shown(client.phone_number)

    @admin.display(description="known since", ordering="created_at")
    def since(self, client: Client) -> str:
        return short_day_and_time(client.created_at)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)


@admin.register(Language)
class LanguageAdmin(admin.ModelAdmin[Language]):
    search_fields = ["name"]
    search_help_text = "Name"


@admin.register(Specialization)
class SpecializationAdmin(admin.ModelAdmin[Specialization]):
    search_fields = ["name"]
    search_help_text = "Name"


@admin.register(Location)
class LocationAdmin(WithHistory):
    list_display = ["name", "address"]
    search_help_text = "Name or address"
    search_fields = ["name", "address"]
    search_help_text = "Name or address"
    ordering = ["name"]


@admin.register(Enquiry)
class EnquiryAdmin(LongList, ListOfPeople, ReadOnly, admin.ModelAdmin[Enquiry]):
    list_display = ["subject", "received"]
    search_fields = ["subject"]
    search_help_text = "Subject"
    fields = ["subject", "received", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enquiry]:
        return super().get_queryset(request).defer("text")  # decrypted on the one page that shows it

    @admin.display(description="received", ordering="received_at")
    def received(self, enquiry: Enquiry) -> str:
        return short_day_and_time(enquiry.received_at)
