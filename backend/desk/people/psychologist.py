"""Who gives sessions: at what price, when and on which terms, and what is booked within their time off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from backend.accounts.roles import Ability, has_any_permission
from backend.bookings import policy
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.session_terms import AMOUNT_MOST_PAISE
from backend.core.formatting import money, practice_zone, short_day_and_time
from backend.desk.people import absence
from backend.desk.people.bookable import obstacles
from backend.desk.people.hours import TimeOffInline, WorkingHoursInline, keeps_own_hours
from backend.desk.people.records import WithHistory
from backend.people.forms import EmailAddressField
from backend.people.models import Psychologist
from backend.scheduling import rebooking_options


class PsychologistForm(forms.ModelForm[Psychologist]):
    """The fee is typed in rupees and stored in paise."""

    email = EmailAddressField()
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
        if fee is not None and fee * 100 > AMOUNT_MOST_PAISE:
            raise forms.ValidationError(f"A session costs at most {money(AMOUNT_MOST_PAISE)}.")
        return fee

    def save(self, commit: bool = True) -> Psychologist:
        fee: Decimal | None = self.cleaned_data["fee"]
        self.instance.fee_paise = None if fee is None else int(fee * 100)
        return super().save(commit)


def fee_text(fee_paise: int | None) -> str:
    """`1500.00`, or what applies when a psychologist has no fee of their own."""
    if fee_paise is not None:
        return f"{Decimal(fee_paise) / 100:.2f}"
    return f"the practice's default, {money(policy.SESSION_FEE_PAISE)}"


@admin.register(Psychologist)
class PsychologistAdmin(WithHistory):
    form = PsychologistForm
    inlines = [WorkingHoursInline, TimeOffInline]
    list_display = ["full_name", "email", "fee", "meeting_link", "location", "is_active"]
    list_filter = ["is_active", "languages", "specializations"]
    list_select_related = ["location"]
    search_fields = ["full_name", "email", "registration_number"]
    search_help_text = "Name, address or registration"
    filter_horizontal = ["languages", "specializations"]
    readonly_fields = ["user"]  # whose account it is an owner says at Colleagues: it gives their bookings to somebody
    fieldsets = [
        (None, {"fields": ["full_name", "email", "is_active", "fee", "meeting_link", "location", "user"]}),
        ("What visitors choose by", {"fields": ["registration_number", "specializations", "languages"]}),
        (
            "How sessions are offered",
            {
                "fields": ["time_zone", "session_minutes", "buffer_minutes", "notice_hours", "horizon_days"],
                "description": "What is left empty is as the practice has it.",
            },
        ),
    ]
    history_list_display = ["is_active"]

    def get_urls(self) -> list[URLPattern]:
        return [absence.PAGE.url(self.admin_site), *super().get_urls()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Psychologist | None = None) -> bool:
        """A psychologist sees their own page."""
        if super().has_view_permission(request, obj):
            return True
        is_own = obj is None or obj.user_id == request.user.pk
        return is_own and has_any_permission(request.user, Ability.SEE_OWN)

    def has_change_permission(self, request: HttpRequest, obj: Psychologist | None = None) -> bool:
        """A psychologist opens their own page to change hours and time off; the rest of it they only read."""
        return super().has_change_permission(request, obj) or keeps_own_hours(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Psychologist | None = None) -> Any:
        if super().has_change_permission(request, obj):
            return super().get_readonly_fields(request, obj)
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Psychologist | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """For who may not change the fields, a form that has none: a declared one would be read though not shown."""
        if not super().has_change_permission(request, obj):
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Psychologist]:
        rows: QuerySet[Psychologist] = super().get_queryset(request)
        return rows if super().has_view_permission(request) else rows.filter(user__username=request.user.get_username())

    @admin.display(description="fee", ordering="fee_paise")
    def fee(self, psychologist: Psychologist) -> str:
        return fee_text(None) if psychologist.fee_paise is None else money(psychologist.fee_paise)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Psychologist | None = None,
    ) -> HttpResponse:
        """With the bookings over which time off was laid: they stand until somebody decides about them."""
        context["may_send_away"] = obj is not None and AccessPolicy(request.user).records_absences
        if obj is not None:
            found = rebooking_options.within_time_off(obj.pk, now=timezone.now())
            context["in_the_way"] = [(booking, short_day_and_time(booking.slot_start)) for booking in found]
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Time off over held slots moves and cancels nothing by itself; it says what is in the way."""
        super().save_related(request, form, formsets, change)
        for sentence in obstacles(form.instance, today=timezone.now().astimezone(practice_zone()).date()):
            messages.warning(request, f"Nobody can book {form.instance} as it is. {sentence}")
        is_about_time_off = any(formset.model is TimeOffInline.model and formset.has_changed() for formset in formsets)
        found = rebooking_options.within_time_off(form.instance.pk, now=timezone.now()) if is_about_time_off else []
        if found:
            names = format_html_join(
                ", ", "{} ({})", ((booking, short_day_and_time(booking.slot_start)) for booking in found)
            )
            messages.warning(request, format_html("Booked within the time off, and unchanged: {}.", names))
