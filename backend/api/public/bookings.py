"""The public endpoints, as the released site calls them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import responses
from backend.api.public import doors
from backend.api.public.requests import PaymentRequest, TokenRequest, parse_request
from backend.api.repeats import Door
from backend.bookings import queries
from backend.bookings.lifecycle import payments, visitor
from backend.bookings.payment_status import MONEY_CAME
from backend.core import formatting


class SubmitDraft(Door):
    """POST: record a request. The answer is the same for every address."""

    def post(self, request: Request) -> Response:
        doors.submit_draft(request, request.data, now=timezone.now())
        return Response(
            {"message": gettext("Check your email: open the link in it to send us your request.")}, status=201
        )


class VerifyEmail(Door):
    """POST, and GET from the site's own page: prove the address on first use, then show the booking."""

    def get(self, request: Request) -> Response:
        return self._answer(parse_request(TokenRequest, request.query_params), acts=came_from_the_page(request))

    def post(self, request: Request) -> Response:
        return self._answer(parse_request(TokenRequest, request.data), acts=True)

    def _answer(self, body: TokenRequest, *, acts: bool) -> Response:
        token, now = body.validated_data["token"], timezone.now()
        booking = visitor.verify_email(token, now=now) if acts else queries.by_token(token, now=now)
        shown = responses.detail(booking, token, now=now)
        if shown["payment_status"] in MONEY_CAME:
            shown["receipts_url"] = f"{settings.PUBLIC_URL}/go/receipt/?{urlencode({'token': token})}"
        return Response({"message": gettext("Your email address is confirmed."), "booking": shown})


def came_from_the_page(request: Request) -> bool:
    """Whether a script of the site asks, and not a mail scanner, a prefetch or a person's address bar."""
    headers = request.headers
    is_ours = headers.get("Origin") in settings.CORS_ALLOWED_ORIGINS or headers.get("Sec-Fetch-Site") == "same-origin"
    return (
        request.method == "GET"  # DRF answers HEAD with get()
        and is_ours
        and headers.get("Sec-Fetch-Mode", "cors") in ("cors", "same-origin")
        and headers.get("Sec-Fetch-Dest", "empty") == "empty"
        # "prefetch;prerender", and `Purpose`, as browsers named it before
        and not any("pre" in headers.get(name, "").lower() for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    )


class CheckStatus(Door):
    """GET by acknowledgement id: the booking's state. POST an address: its link goes there by mail."""

    def get(self, request: Request) -> Response:
        now = timezone.now()
        return Response(responses.status(doors.find_booking(request, request.query_params, now=now), now=now))

    def post(self, request: Request) -> Response:
        doors.send_link(request, request.data, now=timezone.now())
        return Response({"message": gettext("We have sent an email to this address. Please check your inbox.")})


class InitiatePayment(Door):
    """POST: begin to pay, or go on with the attempt that is open."""

    def post(self, request: Request) -> Response:
        payment = doors.begin_payment(request, request.data, now=timezone.now())
        answer = {
            "message": gettext("Your payment has begun."),
            "payment_reference": payment.reference,
            "amount": formatting.rupees(payment.amount_paise),
        }
        return Response(answer | responses.pay_address(payment))


class CompletePayment(Door):
    """POST: is it paid? 2xx means paid and confirmed, and nothing else."""

    is_one_transaction = False  # the gateway is asked

    def post(self, request: Request) -> Response:
        body = parse_request(PaymentRequest, request.data)
        reference = body.validated_data["payment_reference"]
        booking = payments.complete_payment(reference, now=timezone.now())
        return Response(
            {
                "message": gettext("Payment received. Your session is confirmed."),
                "acknowledgement_id": booking.acknowledgement_id,
                "status": booking.state,
            }
        )


class Support(APIView):
    """GET: the help lines, for someone in need."""

    def get(self, _request: Request) -> Response:
        return Response(
            {
                "message": gettext("We are not an emergency service; messages are read in practice hours."),
                "support": responses.support_lines(),
            }
        )


class Ping(APIView):
    """GET: awake. No database."""

    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"})
