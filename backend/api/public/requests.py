"""The shapes of requests."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict

from backend.api.fields import (
    ChoiceField,
    ConsentField,
    DayField,
    EmailAddressField,
    FlagField,
    IdField,
    InstantField,
    IntakeField,
    LineField,
    ParagraphField,
    TimeOfDayField,
    WholeNumberField,
    ZoneField,
)
from backend.api.language import Language
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.models import Gender, Mode, PaymentMode, Period
from backend.channels import adapters
from backend.channels.names import ReminderWay
from backend.people import intake, phones
from backend.people.privacy_notice import IN_FORCE, NOTICES, NoticeVersion


class DraftRequest(serializers.Serializer[Draft]):
    """What the site's form sends."""

    email = EmailAddressField()
    full_name = IntakeField(intake.FULL_NAME)
    phone_number = IntakeField(intake.PHONE_NUMBER)
    city = IntakeField(intake.CITY)
    state = IntakeField(intake.REGION, default=intake.NOT_GIVEN)
    country = IntakeField(intake.COUNTRY, required=False, default=intake.HOME)
    age = WholeNumberField(intake.AGE.ask, least=intake.AGE.least, most=intake.AGE.most)
    gender = ChoiceField("Please choose your gender, or that you prefer not to say.", Gender)
    emergency_contact = IntakeField(intake.EMERGENCY_CONTACT)
    consent_given = ConsentField("We need your consent to handle your request.")
    notice_version = ChoiceField(
        "Please read our privacy notice again: we do not know this version of it.",
        NoticeVersion,
        may_grow=True,
        required=False,
        allow_null=True,
        default=None,
        help_text="The version of info/ that was accepted; left out, the one in force.",
    )
    preferred_date = DayField("Please choose a date, written as YYYY-MM-DD.")
    preferred_period = ChoiceField("Please choose morning, evening or hours of your own.", Period)
    preferred_time_start = TimeOfDayField(intake.TIME_START)
    preferred_time_end = TimeOfDayField(intake.TIME_END)
    mode = ChoiceField("Please choose to meet online or in person.", Mode)
    payment_mode = ChoiceField("Please choose how to pay.", PaymentMode)
    user_message = IntakeField(intake.USER_MESSAGE)
    sponsor_code = IntakeField(
        intake.SPONSOR_CODE,
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
    calendar_entry = FlagField(
        "Please say false if our emails are to put nothing into your calendar.",
        default=True,
        help_text="Whether mails bring an entry for the calendar, which others may see.",
    )
    reminders_by = ChoiceField(
        "Please choose one of the ways in which we remind.",
        ReminderWay,
        may_grow=True,
        required=False,
        allow_null=True,
        default=None,
        help_text="One of info/'s `reminders_by`, from the proof of the address on. Left out: by mail, or as before.",
    )
    language = ChoiceField(
        "Please choose a language of ours.",
        Language,
        may_grow=True,
        required=False,
        allow_null=True,
        default=None,
        help_text="Of our mails, one of info/'s `languages`; left out, the practice's.",
    )
    timezone = ZoneField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Where the visitor's clock is, an IANA name: mails then tell its time beside the practice's.",
    )

    def validate_reminders_by(self, way: str | None) -> str:
        """One that is offered now."""
        if way is not None and way not in adapters.ways():
            self.fields["reminders_by"].fail("invalid")
        return way or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = ("preferred_time_start", "preferred_time_end")
        are_custom = attrs["preferred_period"] == Period.CUSTOM
        attrs.update(zip(names, intake.hours(*(attrs[name] for name in names), are_custom=are_custom), strict=True))
        if attrs["phone_number"]:
            attrs["phone_number"] = phones.canonical(self.initial_data["phone_number"].strip(), attrs["country"])
        return attrs

    def draft(self) -> Draft:
        """The cleaned draft."""
        values = dict(self.validated_data)
        del values["consent_given"]
        notice = NOTICES[values["notice_version"] or IN_FORCE.version]
        values["language"], values["time_zone"] = values["language"] or "", values.pop("timezone") or ""
        values["notice_version"], values["notice_language"] = notice.version, values["language"] or notice.language
        values["region"] = values.pop("state") or intake.NOT_GIVEN
        values["preferred_psychologist_id"] = values.pop("psychologist")
        values["user_message"] = values["user_message"] or ""
        values["sponsor_code"] = values["sponsor_code"] or ""
        return Draft(**values)


class TokenRequest(serializers.Serializer[str]):
    token = LineField("Please open the whole link from your email.", max_length=200)


class AddressRequest(serializers.Serializer[str]):
    email = EmailAddressField()


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
    vars(body)["fields"] = _fields(shape)
    body.is_valid(raise_exception=True)
    return body


@cache
def _fields(shape: type[serializers.Serializer[Any]]) -> BindingDict:
    """Of every request of this shape: they keep nothing of one, and copying them takes longer than what they check."""
    return shape().fields
