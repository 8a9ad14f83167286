"""Mails that speak of what a person asked about their data. They greet nobody by name: an erasure leaves none."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy

from backend.bookings import policy
from backend.bookings.kept_after_erasure import kept
from backend.bookings.models import DataRequest, RequestKind, RequestState, WaitsFor
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications.notification_context import TemplateContext
from backend.notifications.visitor_context import base_context, help_lines
from backend.outbox.models import Message

TRUE_IN = {
    Notice.DATA_CORRECTED: RequestState.DONE,
    Notice.CONSENT_WITHDRAWN: RequestState.DONE,
    Notice.ERASURE_REQUESTED: RequestState.ASKED,
    Notice.ERASURE_PLANNED: RequestState.WAITING,
    Notice.ERASURE_STOPPED: RequestState.STOPPED,
    Notice.ERASURE_DONE: RequestState.DONE,
}


CORRECTED = {
    "full_name": gettext_lazy("full name"),
    "phone_number": gettext_lazy("phone number"),
    "city": gettext_lazy("city"),
    "region": gettext_lazy("region"),
    "country": gettext_lazy("country"),
    "gender": gettext_lazy("gender"),
    "emergency_contact": gettext_lazy("emergency contact"),
}


def request_context(message: Message, *, now: datetime) -> TemplateContext | None:
    """What it says; None once a wish was proved, stopped, carried out, or was left unproved."""
    request = DataRequest.objects.filter(pk=message.subject_id or 0).first()
    if request is None or request.state != TRUE_IN[Notice(message.kind)] or _is_too_late(request, now):
        return None
    if message.context is not None and message.may_have_left:
        said: TemplateContext = message.context
        return said
    return base_context() | {"support_lines": help_lines()} | facts(request)


def facts(request: DataRequest) -> TemplateContext:
    """What mail and page say of it."""
    days = {"asked_on": request.asked_at, "due_on": request.due_at, "closed_on": request.closed_at}
    return {
        **{name: formatting.day_and_time(at) if at is not None else "" for name, at in days.items()},
        "is_erased": (request.kind, request.state) == (RequestKind.ERASURE, RequestState.DONE),
        "changed": [str(CORRECTED[name]) for name in request.changed.split()],
        "waits_for_booking": request.waits_for == WaitsFor.BOOKING,
        "waits_for_refund": request.waits_for == WaitsFor.REFUND,
        "waits_for_payment": request.waits_for == WaitsFor.PAYMENT,
        "erasure_after": formatting.span(policy.ERASURE_AFTER),
        "kept": [one._asdict() for one in kept(request.closed_at)],
    }


def _is_too_late(request: DataRequest, now: datetime) -> bool:
    return request.state == RequestState.ASKED and request.due_at is not None and request.due_at <= now
