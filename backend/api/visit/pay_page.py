"""`/payment?id=`, as mails name it, or `?token=` of the booking: what is to be paid, and one button.

A gateway with pages takes the money on its own; without, this page asks it at once, as the site's does.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from backend.api.frame import see_other
from backend.api.links.pay_page import opening
from backend.api.public import doors
from backend.api.visit import booking_context
from backend.api.visit.page import VisitPage, ask_again, attempt, show
from backend.bookings import queries
from backend.bookings.lifecycle import payments
from backend.bookings.models import Booking
from backend.bookings.queries import Progress
from backend.payments import adapters
from backend.payments.models import Payment


class PayPage(VisitPage):
    """GET begins nothing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return show(request, "pay", _shown(request, request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        now, begun = timezone.now(), list[Payment]()
        booking = _found(request, request.POST).booking
        typed = {"acknowledgement_id": booking.acknowledgement_id}
        refusals = attempt(lambda: begun.append(doors.begin_payment(request, typed, now=now)))
        if begun and adapters.has_pages(begun[0].gateway):
            return see_other(f"{settings.PUBLIC_URL}/go/pay/?{opening(begun[0], now=now)}")
        if begun:
            refusals = attempt(lambda: payments.complete_payment(begun[0].reference, now=now))
        if refusals is not None:
            return ask_again(request, "pay", _shown(request, request.POST), refusals)
        return see_other(f"{request.path}?{_query(request.POST, booking)}")


def _shown(request: HttpRequest, asked: QueryDict) -> dict[str, Any]:
    found, now = _found(request, asked), timezone.now()
    shown = {"token": asked.get("token", ""), "query": _query(asked, found.booking)}
    return {**booking_context.by_id(found, now=now), **shown}


def _found(request: HttpRequest, asked: QueryDict) -> Progress:
    """Refuses: as `queries.by_token`, and as `doors.find_booking`."""
    now = timezone.now()
    if token := asked.get("token", ""):
        return queries.progress(queries.by_token(token, now=now))
    return doors.find_booking(request, {"acknowledgement_id": asked.get("id", "")}, now=now)


def _query(asked: QueryDict, booking: Booking) -> str:
    token = asked.get("token", "")
    return urlencode({"token": token} if token else {"id": booking.acknowledgement_id})
