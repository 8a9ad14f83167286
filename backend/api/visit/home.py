"""`/visit/`: what the practice offers, and the way to everything else."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from backend.api.public.bookings import Ping
from backend.api.visit.page import VisitPage, is_the_site, led_to, show
from backend.bookings import policy
from backend.bookings.lifecycle.session_terms import least_fee_paise
from backend.core import formatting
from backend.people.profiles import profiles

_ping = Ping.as_view(schema=None)


class HomePage(VisitPage):
    """The same for everybody."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            "price": formatting.money(least_fee_paise()),
            "minutes": policy.SESSION_LENGTH // timedelta(minutes=1),
            "cancel_notice": formatting.span(policy.CANCEL_NOTICE),
            "answer_within": formatting.span(policy.ANSWER_WITHIN),
            "profiles": profiles(),
        }
        return show(request, "home", context)


def front_door(request: HttpRequest) -> HttpResponseBase:
    """`/`: the wake-up ping of the site and of programs, in JSON; a browser that opens it is led to the pages."""
    wants_page = request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    response = led_to("home") if wants_page and is_the_site() and request.method in ("GET", "HEAD") else _ping(request)
    patch_vary_headers(response, ["Accept"])
    return response


front_door.csrf_exempt = True  # type: ignore[attr-defined]
