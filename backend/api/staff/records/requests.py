"""What staff may send of each kind of row; the form of its page judges the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers

from backend.api.fields import (
    ChoiceField,
    DayField,
    EmailAddressField,
    FlagField,
    IdField,
    IntakeField,
    LineField,
    ParagraphField,
    WholeNumberField,
)
from backend.api.staff.fields import IdsField, RupeesField
from backend.bookings.models import Gender
from backend.people import intake

_LINK = "Please write the meeting link as https://…"
_OPEN: dict[str, Any] = {"required": False, "allow_null": True}
_EMPTY: dict[str, Any] = {"required": False, "allow_blank": True}


class _Fee(RupeesField):
    """As the form types it."""

    def to_internal_value(self, data: Any) -> Any:
        return Decimal(super().to_internal_value(data)) / 100


class NameRequest(serializers.Serializer[Any]):
    name = LineField("Please write the name.", max_length=40)


class SpecializationRequest(serializers.Serializer[Any]):
    name = LineField("Please write the name.", max_length=80)


class LocationRequest(serializers.Serializer[Any]):
    name = LineField("Please write the name.", max_length=120)
    address = ParagraphField("Please write the address.", max_length=500)


class ClosedDayRequest(serializers.Serializer[Any]):
    """A weekday, every week, or a date; with `until` a row for each date."""

    weekday = WholeNumberField("Please give the weekday, 0 is Monday.", least=0, most=6, **_OPEN)
    date = DayField("Please write the date as YYYY-MM-DD.", **_OPEN)
    until = DayField("Please write the last date as YYYY-MM-DD.", **_OPEN)
    note = LineField("Please write the note as one line.", max_length=120, **_EMPTY)


class CorporateRequest(serializers.Serializer[Any]):
    name = LineField("Please write the name.", max_length=120)
    contact_email = EmailAddressField(**_EMPTY)
    is_active = FlagField("Please say true while it sponsors.", default=True)
    code = LineField("Please write the code.", max_length=40, **_EMPTY)
    starts_on = DayField("Please write the first day as YYYY-MM-DD.", **_OPEN)
    ends_on = DayField("Please write the last day as YYYY-MM-DD.", **_OPEN)
    sessions_a_month = WholeNumberField("Please give a number of sessions.", least=0, most=2**31 - 1, **_OPEN)


class ClientRequest(serializers.Serializer[Any]):
    email = EmailAddressField(**_EMPTY)
    full_name = IntakeField(intake.FULL_NAME, **_EMPTY)
    phone_number = IntakeField(intake.PHONE_NUMBER, **_EMPTY)
    city = IntakeField(intake.CITY, **_EMPTY)
    state = IntakeField(intake.REGION, source="region", required=False)
    country = IntakeField(intake.COUNTRY, **_EMPTY)
    gender = ChoiceField("Please choose a gender, or leave it out.", Gender, required=False)
    emergency_contact = IntakeField(intake.EMERGENCY_CONTACT, **_EMPTY)


class PsychologistRequest(serializers.Serializer[Any]):
    """What is null or empty of the terms is as the practice has it. Whose account it is, an owner says at the desk."""

    full_name = LineField("Please write the name.", max_length=120)
    email = EmailAddressField()
    is_active = FlagField("Please say true while they give sessions.", default=True)
    own_fee = _Fee('Please write the fee in rupees, such as "1500.00".', source="fee", **_OPEN)
    meeting_link = LineField(_LINK, max_length=200, validators=[URLValidator(["https"], message=_LINK)], **_EMPTY)
    location_id = IdField("Please choose a location.", source="location", **_OPEN)
    registration_number = LineField("Please write the registration.", max_length=40, **_EMPTY)
    language_ids = IdsField("Please list the ids of languages.", source="languages", required=False)
    specialization_ids = IdsField("Please list the ids of specializations.", source="specializations", required=False)
    time_zone = LineField("Please write the zone, such as Asia/Kolkata.", max_length=40, **_EMPTY)
    session_minutes = WholeNumberField("Please give 5 to 240 minutes.", least=5, most=240, **_OPEN)
    buffer_minutes = WholeNumberField("Please give up to 240 minutes.", least=0, most=240, **_OPEN)
    notice_hours = WholeNumberField("Please give up to 720 hours.", least=0, most=720, **_OPEN)
    horizon_days = WholeNumberField("Please give 1 to 366 days.", least=1, most=366, **_OPEN)
