"""`/go/pay/?token=` from a mail, or `?payment=` from the site and from the gateway: to its page, and what came of it.

GET begins nothing. Of the query that a gateway adds nothing is read: truth is asked, not believed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from backend.api import errors
from backend.api.frame import render_page, see_other
from backend.api.links.pages import LinkPage
from backend.api.templatetags.instants import moment
from backend.bookings import policy
from backend.bookings.lifecycle import attempts, pay_page
from backend.bookings.lifecycle.pay_page import Stage, Standing
from backend.bookings.models import Booking
from backend.bookings.payment_status import paid_paise
from backend.bookings.refund_policy import gives_back, refund_deadline
from backend.core import formatting
from backend.core.errors import Code, Refused
from backend.payments import adapters
from backend.payments.models import Payment, PaymentState

LEADS_ON_FOR = timedelta(seconds=60)  # after the button: the worker makes the page within a second or two
LOOKS_AGAIN = {Stage.BEING_MADE: 2, Stage.CHECKING: 5, Stage.ENDING: 10}  # seconds
SOONEST, SELDOMEST = 5, 60  # seconds between two looks while the bank is silent: a tenth of how long it has been
NOTHING_TO_PAY = (  # nothing failed: there is no more, or not yet, to pay here
    *(Code.STATE_REFUSES, Code.PAY_BY_PASSED, Code.CHOICE_OPEN, Code.NOTHING_TO_PAY, Code.PAYMENT_RETURNED),
)


class PayPage(LinkPage):
    """How far the payment is; the button begins it and leads on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        is_leading_on = _was_pressed(request.GET.get("at", ""), now=now)
        try:
            found = _standing(request.GET, now=now, asks=not is_leading_on)
        except Refused as refused:
            return _nothing_to_pay(refused)
        if is_leading_on and found.stage is Stage.TO_PAY and found.hosted_page:
            return see_other(found.hosted_page)
        return _page(found, request, is_leading_on=is_leading_on, now=now)

    def post(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        try:
            found = _standing(request.POST, now=now, asks=False)  # the gateway's page itself takes no second payment
            if found.stage not in (Stage.TO_PAY, Stage.BEING_MADE, Stage.DECLINED):
                return see_other(_address(request.POST))
            payment = attempts.start_payment(found.booking.acknowledgement_id, now=now)
        except Refused as refused:
            return _nothing_to_pay(refused)
        return see_other(found.hosted_page or _way_on(payment, found.booking, now=now))


def _standing(query: QueryDict, *, now: datetime, asks: bool = True) -> Standing:
    return pay_page.standing(query.get("token", ""), query.get("payment", ""), now=now, asks=asks)


def _way_on(payment: Payment, booking: Booking, *, now: datetime) -> str:
    """While the gateway's page is made, ours; with a gateway that has none, the site's."""
    if not adapters.has_pages(payment.gateway):
        return f"{settings.FRONTEND_URL}/payment?{urlencode({'id': booking.acknowledgement_id})}"
    return f"./?{opening(payment, now=now)}"


def opening(payment: Payment, *, now: datetime) -> str:
    """The query with which this page leads on to the gateway's by itself, once that is made."""
    return urlencode({"payment": payment.reference, "at": int(now.timestamp())})


def _address(query: QueryDict) -> str:
    """This page's own, as it was opened, without what a gateway added."""
    return f"./?{urlencode({name: query[name] for name in ('token', 'payment', 'at') if query.get(name)})}"


def _was_pressed(at: str, *, now: datetime) -> bool:
    """Whether the button was, a moment ago: who comes back later stays here."""
    return at.isdecimal() and len(at) < 12 and timedelta(0) <= now - _instant(int(at)) <= LEADS_ON_FOR


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.get_default_timezone())


def _page(found: Standing, request: HttpRequest, *, is_leading_on: bool, now: datetime) -> HttpResponse:
    stage = found.stage
    if stage is Stage.BEING_MADE and not is_leading_on:
        stage = Stage.TO_PAY
    context = _facts(found, now=now) | {
        "token": request.GET.get("token", ""),
        "payment": "" if request.GET.get("token") else request.GET.get("payment", ""),
        "address": _address(request.GET),
        "is_slow": "at" in request.GET and found.stage is Stage.BEING_MADE,
    }
    response = render_page(f"pay_{stage}", context)
    seconds = _looks_again_in(found, now=now) if stage is Stage.UNCONFIRMED else LOOKS_AGAIN.get(stage)
    if seconds:
        response["Refresh"] = str(seconds)  # the same address: no new entry in the browser's history
    return response


def _looks_again_in(found: Standing, *, now: datetime) -> int:
    """Ever more seldom: a tab may stay open for hours."""
    since = (now - found.payment.started_at).total_seconds() if found.payment is not None else 0
    return int(min(max(since / 10, SOONEST), SELDOMEST))


def _facts(found: Standing, *, now: datetime) -> dict[str, Any]:
    booking, payment = found.booking, found.payment
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "amount": formatting.money(found.amount_paise),
        "paid": formatting.money(paid) if (paid := paid_paise(booking)) and found.stage is not Stage.PAID else "",
        "pay_by": moment(booking.pay_by) if booking.pay_by else "",
        "answer_by": formatting.time_or_day(found.answer_by, now=now) if found.answer_by else "",
        "was_tried": payment is not None and payment.state != PaymentState.OPEN,
        "comes_back": gives_back(booking, asked_at=now),
        "refund_until": formatting.day_and_time(ends_at) if (ends_at := refund_deadline(booking)) else "",
        "cancel_notice": formatting.span(policy.CANCEL_NOTICE),
    }


def _nothing_to_pay(refused: Refused) -> HttpResponse:
    """In the words of the refusal. Raises it again where something is wrong with the link, or with us."""
    if refused.code not in NOTHING_TO_PAY:
        raise refused
    problem = errors.refusal(refused)
    return render_page("pay_closed", {"sentence": problem.detail}, status=problem.status)
