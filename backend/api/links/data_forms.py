"""`/go/data/correct/` and `/go/data/withdraw/`: what a person does by themselves about what we keep of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from backend.api.fields import ChoiceField, IntakeField
from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.api.visit.questions import GENDERS
from backend.audit import own_data
from backend.bookings.lifecycle import corrections, withdrawal
from backend.bookings.models import Gender
from backend.core import disclosures, formatting
from backend.people import intake, phones


class CorrectionRequest(serializers.Serializer[dict[str, str]]):
    """The questions of the site's form that are about the person."""

    full_name = IntakeField(intake.FULL_NAME)
    phone_number = IntakeField(intake.PHONE_NUMBER)
    city = IntakeField(intake.CITY)
    region = IntakeField(intake.REGION, default=intake.NOT_GIVEN)
    country = IntakeField(intake.COUNTRY)
    gender = ChoiceField("Please choose your gender, or that you prefer not to say.", Gender)
    emergency_contact = IntakeField(intake.EMERGENCY_CONTACT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["phone_number"] = phones.canonical(self.initial_data["phone_number"].strip(), attrs["country"])
        attrs["region"] = attrs["region"] or intake.NOT_GIVEN
        return attrs


LABELS = {
    "full_name": gettext_lazy("Full name"),
    "phone_number": gettext_lazy("Phone number"),
    "city": gettext_lazy("City"),
    "region": gettext_lazy("State or province"),
    "country": gettext_lazy("Country"),
    "emergency_contact": gettext_lazy("Emergency contact"),
}


class CorrectPage(LinkPage):
    """A form with what we keep; what is refused comes back with the sentence that asks again."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        client = own_data.proved_by(token, now=timezone.now())[1]
        with disclosures.unseen():
            kept = {name: getattr(client, name) for name in corrections.CORRECTABLE}
        kept["phone_number"] = phones.shown(kept["phone_number"])
        return _form(token, kept, {})

    def post(self, request: HttpRequest) -> HttpResponse:
        token, typed = request.POST.get("token", ""), request.POST.dict()
        own_data.proved_by(token, now=timezone.now())
        answers = CorrectionRequest(data=typed)
        if not answers.is_valid():
            return _form(token, typed, {name: _(str(found[0])) for name, found in answers.errors.items()}, status=400)
        corrections.correct(token, answers.validated_data, now=timezone.now())
        return render_page("data_done", {"heading": _("Your data is corrected"), "token": token})


def _form(token: str, typed: dict[str, str], wrong: dict[str, Any], *, status: int = 200) -> HttpResponse:
    fields = [(name, label, typed.get(name, ""), wrong.get(name, "")) for name, label in LABELS.items()]
    genders = [(value, label, value == typed.get("gender")) for value, label in GENDERS]
    context = {"token": token, "fields": fields, "genders": genders, "gender_wrong": wrong.get("gender", "")}
    context["is_refused"] = bool(wrong)
    return render_page("correct", context, status=status)


class WithdrawPage(LinkPage):
    """What follows, and what is to become of a booking that is open."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _asked(request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        token, step = request.POST.get("token", ""), request.POST.get("step", "")
        if step == "cancel":
            withdrawal.ask_to_cancel(token, now=timezone.now())
            return render_page("data_done", {"heading": _("Open the link in our email to cancel"), "token": token})
        if not withdrawal.withdraw(token, keeps_bookings=step == "keep", now=timezone.now()):
            return _asked(token, status=409)
        return render_page("data_done", {"heading": _("Your consent is withdrawn"), "token": token})


def _asked(token: str, *, status: int = 200) -> HttpResponse:
    """With the bookings that are to be decided about first."""
    found = withdrawal.open_bookings(token, now=timezone.now())
    starts = [
        (one.acknowledgement_id, formatting.day_and_time(one.slot_start) if one.slot_start else "") for one in found
    ]
    return render_page("withdraw", {"token": token, "bookings": starts}, status=status)
