"""The people of the practice, editable by staff, every edit kept in the history; and what was written to us."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from backend.admin_pages import ReadOnly, instant
from backend.people.models import Client, Corporate, Enquiry, Location, Psychologist


class WithHistory(SimpleHistoryAdmin):  # type: ignore[misc]  # the library has no types
    """The library's list of versions writes times without their zone; here they name it."""

    def render_history_view(
        self, request: HttpRequest, template: str, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        for version in context.get("page_obj", ()):
            version.history_date = instant(version.history_date)
        answer: HttpResponse = super().render_history_view(request, template, context, **kwargs)
        return answer


class ClientForm(forms.ModelForm[Client]):
    class Meta:
        model = Client
        exclude = ["created_at"]  # noqa: DJ006  # the page shows the rest, and sets this one

    def clean_email(self) -> str:
        """Addresses are kept in lower case: one person, one row."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(Client)
class ClientAdmin(WithHistory):
    form = ClientForm
    list_display = ["full_name_or_address", "email", "phone_number", "city", "country", "since"]
    search_fields = ["email", "full_name", "phone_number"]
    show_full_result_count = False
    ordering = ["-id"]
    readonly_fields = ["since"]

    @admin.display(description="name", ordering="full_name")
    def full_name_or_address(self, client: Client) -> str:
        return str(client)

    @admin.display(description="known since", ordering="created_at")
    def since(self, client: Client) -> str:
        return instant(client.created_at)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)


class PsychologistForm(forms.ModelForm[Psychologist]):
    """The fee is typed in rupees and stored in paise."""

    # told by `bookings.admin`, which knows the policy; this layer may not ask it
    default_fee_paise: int | None = None
    largest_fee_paise: int | None = None

    fee = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        label="Fee in rupees",
        widget=forms.NumberInput(attrs={"class": "vTextField"}),  # as wide and framed as its neighbours
    )

    class Meta:
        model = Psychologist
        exclude = ["fee_paise"]  # noqa: DJ006  # the page shows the rest, and types this one in rupees

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fee"].help_text = f"Of one session, such as 1500.00. Empty: {fee_text(None)}."
        if self.instance.fee_paise is not None:
            self.initial["fee"] = fee_text(self.instance.fee_paise)

    def clean_fee(self) -> Decimal | None:
        """No session may cost more, so an approval with this fee would be refused."""
        fee: Decimal | None = self.cleaned_data["fee"]
        largest = self.largest_fee_paise
        if fee is not None and largest is not None and fee * 100 > largest:
            raise forms.ValidationError(f"A session costs at most {largest // 100:,} rupees.")
        return fee

    def save(self, commit: bool = True) -> Psychologist:
        fee: Decimal | None = self.cleaned_data["fee"]
        self.instance.fee_paise = None if fee is None else int(fee * 100)
        return super().save(commit)


def fee_text(fee_paise: int | None) -> str:
    """`1500.00`, or what applies when a psychologist has no fee of their own."""
    if fee_paise is not None:
        return f"{Decimal(fee_paise) / 100:.2f}"
    default = PsychologistForm.default_fee_paise
    return "the practice's default" + ("" if default is None else f", {fee_text(default)}")


@admin.register(Psychologist)
class PsychologistAdmin(WithHistory):
    form = PsychologistForm
    list_display = ["full_name", "email", "fee", "meeting_link", "location", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["location"]
    search_fields = ["full_name", "email"]
    fields = ["full_name", "email", "is_active", "fee", "meeting_link", "location", "user"]
    history_list_display = ["is_active"]

    @admin.display(description="fee in rupees", ordering="fee_paise")
    def fee(self, psychologist: Psychologist) -> str:
        return fee_text(psychologist.fee_paise)


@admin.register(Location)
class LocationAdmin(WithHistory):
    list_display = ["name", "address"]
    search_fields = ["name", "address"]
    ordering = ["name"]


@admin.register(Corporate)
class CorporateAdmin(WithHistory):
    list_display = ["name", "contact_email", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "contact_email"]
    ordering = ["name"]


@admin.register(Enquiry)
class EnquiryAdmin(ReadOnly, admin.ModelAdmin[Enquiry]):
    list_display = ["subject", "received"]
    search_fields = ["subject"]
    show_full_result_count = False
    list_per_page = 50
    fields = ["subject", "received", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enquiry]:
        return super().get_queryset(request).defer("text")  # decrypted on the one page that shows it

    @admin.display(description="received", ordering="received_at")
    def received(self, enquiry: Enquiry) -> str:
        return instant(enquiry.received_at)
