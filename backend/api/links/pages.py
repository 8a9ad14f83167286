"""The mailed pages: GET explains and changes nothing, one button acts."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from backend.api.frame import FramedPage, error_page, render_page, see_other
from backend.api.templatetags.instants import moment
from backend.bookings import policy, queries
from backend.bookings.lifecycle import cancellation, visitor
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core import formatting
from backend.core.errors import Refused

_NOWHERE = _("There is no such page. Please open the link in your email again.")


class LinkPage(FramedPage):
    """Behind a mailed link."""

    # No cookie takes part, so there is nothing a foreign site could ride on: whoever posts must know the mailed token.
    # And with no-referrer a browser sends `Origin: null`, which Django's check refuses.
    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)


class CancelPage(LinkPage):
    """`/go/cancel/?token=`: what would be cancelled and what comes back; the button cancels."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, now = request.GET.get("token", ""), timezone.now()
        offer = _offer(token, now=now)
        if offer is None:
            done = cancellation.cancelled_by(token, now=now)
            return render_page("cancelled", {"acknowledgement_id": done.acknowledgement_id})
        return render_page("cancel", offer)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Nobody loses money to a page that stood open: if it promised another sum than holds now, it comes again."""
        token, now = request.POST.get("token", ""), timezone.now()
        offer = _offer(token, now=now)
        if offer is not None and request.POST.get("comes_back", offer["comes_back"]) != offer["comes_back"]:
            return render_page("cancel", {**offer, "has_changed": True}, status=409)
        cancellation.confirm_cancellation(token, now=now)
        query = urlencode({"token": token})
        return see_other(f"{settings.FRONTEND_URL}/verify-cancellation?{query}")


def _offer(token: str, *, now: datetime) -> dict[str, object] | None:
    """What the link would do; None when it cannot, and `cancelled_by` knows why. Refuses: link_unknown."""
    link = cancellation.find_cancel_link(token)
    booking = link.booking
    try:
        promise = cancellation.cancellation_terms(booking, link, now=now)
    except Refused:
        return None
    return {
        "token": token,
        "acknowledgement_id": booking.acknowledgement_id,
        "starts": moment(booking.slot_start) if booking.slot_start else "",
        "comes_back": formatting.grouped_rupees(promise.refund_paise),
        "paid": formatting.grouped_rupees(promise.paid_paise),
        "was_paid": promise.paid_paise > 0,
        "is_full": promise.refund_paise == promise.paid_paise,
        "is_nothing": promise.refund_paise == 0,
        "is_lost_by_time": promise.is_lost_by_time,
        "is_paying": booking.state == State.PAYMENT_PENDING,
        "cancel_notice": formatting.span(policy.CANCEL_NOTICE),
    }


class RequestAgainPage(LinkPage):
    """`/go/again/?token=`: the request we left unanswered; the button sends it once more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        repeat = queries.repeated_request(token, now=timezone.now())
        if repeat.made is not None:
            return _asked_again(repeat.made)
        return render_page("again", {"token": token, "acknowledgement_id": repeat.asked.acknowledgement_id})

    def post(self, request: HttpRequest) -> HttpResponse:
        return _asked_again(visitor.request_again(request.POST.get("token", ""), now=timezone.now()))


def _asked_again(booking: Booking) -> HttpResponse:
    is_waiting = booking.state == State.PENDING
    return render_page("asked_again", {"acknowledgement_id": booking.acknowledgement_id, "is_waiting": is_waiting})


class Nowhere(LinkPage):
    """Any other address under `/go/`."""

    def get(self, _request: HttpRequest, **_rest: str) -> HttpResponse:
        return error_page(404, str(_NOWHERE))

    post = get
