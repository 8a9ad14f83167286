"""The shapes of requests."""

from __future__ import annotations

from typing import Any, TypeVar

from rest_framework import serializers

from backend.api.fields import (
    AddressField,
    ChoiceField,
    ConsentField,
    DayField,
    IdField,
    InstantField,
    LineField,
    ParagraphField,
    PhoneField,
    TimeOfDayField,
    WholeNumberField,
)
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.models import Gender, Mode, PaymentMode, Period

OLDEST = 120  # years; what the site's form allows


class DraftRequest(serializers.Serializer[Draft]):
    """What the site's form sends."""

    email = AddressField("Please enter a valid email address.")
    full_name = LineField("Please enter your full name.", min_length=2, max_length=120)
    phone_number = PhoneField("Please enter your phone number, 10 digits.")
    city = LineField("Please enter your city.", max_length=80)
    state = LineField(
        "Please enter your state.", max_length=80, required=False, allow_blank=True, allow_null=True, default="NA"
    )
    country = LineField("Please enter your country.", max_length=80, required=False, default="India")
    # the youngest age is the practice's rule, and the intent's to judge
    age = WholeNumberField(f"Please enter your age in years, at most {OLDEST}.", least=0, most=OLDEST)
    gender = ChoiceField("Please choose your gender, or that you prefer not to say.", Gender)
    emergency_contact = LineField("Please enter an emergency contact.", max_length=120)
    consent_given = ConsentField("We need your consent to handle your request.")
    preferred_date = DayField("Please choose a date, written as YYYY-MM-DD.")
    preferred_period = ChoiceField("Please choose morning, evening or hours of your own.", Period)
    preferred_time_start = TimeOfDayField(
        "Please enter the hour you can begin, as HH:MM.", required=False, allow_null=True, default=None
    )
    preferred_time_end = TimeOfDayField(
        "Please enter the hour you must end, as HH:MM.", required=False, allow_null=True, default=None
    )
    mode = ChoiceField("Please choose to meet online or in person.", Mode)
    payment_mode = ChoiceField("Please choose how to pay.", PaymentMode)
    user_message = ParagraphField(
        "Please write your message as text.",
        required=False,
        allow_blank=True,
        allow_null=True,
        default="",
        max_length=2000,
    )
    sponsor_code = LineField(
        "Please write your sponsor's code as text.",
        required=False,
        allow_blank=True,
        allow_null=True,
        default="",
        max_length=40,
        help_text="Of an employer who pays for sessions; an unknown one is kept and changes nothing.",
    )
    psychologist = IdField(
        "Please choose a psychologist, or none.",
        required=False,
        allow_null=True,
        default=None,
        help_text="A wish: the id of psychologists/.",
    )
    preferred_slot_start = InstantField(
        "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30.",
        required=False,
        allow_null=True,
        default=None,
        help_text="A wish: a start of slots/. It is not held.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs["preferred_time_start"], attrs["preferred_time_end"]
        if attrs["preferred_period"] != Period.CUSTOM:
            attrs["preferred_time_start"] = attrs["preferred_time_end"] = None
        elif start is None or end is None:
            missing = "preferred_time_start" if start is None else "preferred_time_end"
            raise serializers.ValidationError({missing: "Please enter the hours that suit you, from and to."})
        elif end <= start:
            raise serializers.ValidationError({"preferred_time_end": "The end must be after the start."})
        return attrs

    def draft(self) -> Draft:
        """The cleaned draft."""
        values = dict(self.validated_data)
        del values["consent_given"]
        values["region"] = values.pop("state") or "NA"
        values["preferred_psychologist_id"] = values.pop("psychologist")
        values["user_message"] = values["user_message"] or ""
        values["sponsor_code"] = (values["sponsor_code"] or "").upper()
        return Draft(**values)


class TokenRequest(serializers.Serializer[str]):
    token = LineField("Please open the whole link from your email.", max_length=200)


class AddressRequest(serializers.Serializer[str]):
    email = AddressField("Please enter a valid email address.")


class AcknowledgementRequest(serializers.Serializer[str]):
    acknowledgement_id = LineField("Please enter the id of your booking, such as MS-7K2M9P.", max_length=40)


class PaymentRequest(serializers.Serializer[str]):
    payment_reference = LineField("Please begin the payment again; its reference is missing.", max_length=40)


class EnquiryRequest(serializers.Serializer[str]):
    subject = LineField(
        "Please write the subject as one line of text.",
        required=False,
        allow_blank=True,
        allow_null=True,
        default="",
        max_length=200,
    )
    text = ParagraphField("Please write your message.", max_length=10_000)


Shape = TypeVar("Shape", bound=serializers.Serializer[Any])


def parse_request(shape: type[Shape], data: Any) -> Shape:
    """The request in its shape; raises DRF's ValidationError."""
    body = shape(data=data)
    body.is_valid(raise_exception=True)
    return body
