"""What anybody may know of the practice: its name, its rules with their numbers, and the privacy notice in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.conditional import unless_known
from backend.api.responses import support_lines
from backend.api.schema import Operation, SupportLineAnswer, described
from backend.api.words import WordField
from backend.bookings import policy
from backend.bookings.lifecycle.session_terms import least_fee_paise
from backend.channels import adapters
from backend.channels.names import ReminderWay
from backend.core import formatting, languages
from backend.people import privacy_notice
from backend.people.profiles import languages_spoken

CACHE = "public, max-age=300"  # seconds; what stands here changes with a deployment, or with a fee
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


class PoliciesAnswer(serializers.Serializer[Any]):
    """The rules that a visitor accepts."""

    minimum_age = serializers.IntegerField(help_text="Years.")
    adult_age = serializers.IntegerField(help_text="Years; below it a guardian must consent.")
    verify_within_hours = serializers.FloatField()
    answer_within_hours = serializers.FloatField(help_text="Of open days.")
    pay_within_hours = serializers.FloatField()
    cancel_notice_hours = serializers.FloatField(help_text="A session can be cancelled or moved until then.")
    moves = serializers.IntegerField(help_text="How often a visitor can move a session.")
    refund_on_cancellation = serializers.ChoiceField(["none", "full"])
    booking_notice_hours = serializers.FloatField()
    booking_horizon_days = serializers.IntegerField()


class NoticeItemAnswer(serializers.Serializer[Any]):
    heading = serializers.CharField()
    text = serializers.CharField()


class NoticeAnswer(serializers.Serializer[Any]):
    """Send `version` with a draft as `notice_version`."""

    version = serializers.CharField()
    language = serializers.CharField()
    title = serializers.CharField()
    items = NoticeItemAnswer(many=True)


class InfoAnswer(serializers.Serializer[Any]):
    practice_name = serializers.CharField()
    time_zone = serializers.CharField()
    session_minutes = serializers.IntegerField(help_text="A psychologist may have another length.")
    price_from = serializers.CharField(help_text="Rupees, two decimals: the least fee of a session.")
    currency = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField(), help_text="Of our texts, ISO 639-1.")
    session_languages = serializers.ListField(child=serializers.CharField(), help_text="Sessions are held in these.")
    reminders_by = serializers.ListField(
        child=WordField(ReminderWay, may_grow=True), help_text="How a visitor may choose to be reminded of a session."
    )
    support = SupportLineAnswer(many=True)
    policies = PoliciesAnswer()
    privacy_notice = NoticeAnswer()


@described(get=Operation("info", InfoAnswer))
class Info(APIView):
    """GET: the same for everybody, and kept by caches for some minutes."""

    def get(self, request: Request) -> Response:
        body = {
            "practice_name": settings.PRACTICE_NAME,
            "time_zone": formatting.practice_zone().key,
            "session_minutes": policy.SESSION_LENGTH // _MINUTE,
            "price_from": formatting.rupees(least_fee_paise()),
            "currency": policy.CURRENCY,
            "languages": sorted(languages.codes()),
            "session_languages": languages_spoken(),
            "reminders_by": adapters.ways(),
            "support": support_lines(),
            "policies": _policies(),
            "privacy_notice": _notice(privacy_notice.translated(privacy_notice.IN_FORCE)),
        }
        return unless_known(request, body, cache=CACHE)


def _policies() -> dict[str, Any]:
    return {
        "minimum_age": policy.MINIMUM_AGE,
        "adult_age": policy.ADULT_AGE,
        "verify_within_hours": policy.DRAFT_LIFETIME / _HOUR,
        "answer_within_hours": policy.ANSWER_WITHIN / _HOUR,
        "pay_within_hours": policy.PAY_WITHIN / _HOUR,
        "cancel_notice_hours": policy.CANCEL_NOTICE / _HOUR,
        "moves": policy.MOVES_BY_VISITOR,
        "refund_on_cancellation": policy.REFUND_ON_VISITOR_CANCELLATION,
        "booking_notice_hours": policy.BOOKING_NOTICE / _HOUR,
        "booking_horizon_days": policy.BOOKING_HORIZON.days,
    }


def _notice(notice: privacy_notice.PrivacyNotice) -> dict[str, Any]:
    items = [{"heading": heading, "text": text} for heading, text in notice.items]
    return {"version": notice.version, "language": notice.language, "title": notice.title, "items": items}
