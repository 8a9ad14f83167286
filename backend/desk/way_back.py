"""Where an act of staff returns to: the page from which its own page was opened."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from backend.desk.navigation import to_booking

FIELD = "back"  # hidden in a form: a page that is shown again still knows where it came from
PLACES = (  # the URL names of pages from which staff act, and to which they return
    "today",
    "calendar",
    "day",
    "bookings_booking_changelist",
    "bookings_booking_change",
)


def return_from(request: HttpRequest, booking_id: int) -> HttpResponse:
    """To where an act about a booking was begun; to the booking's page, where that is not known."""
    found = way_back(request)
    return redirect(found) if found else to_booking(booking_id)


def way_back(request: HttpRequest) -> str:
    """Path and query of a page of the desk, as the form says or else the browser; empty when it was another page."""
    given = request.POST.get(FIELD) or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(given, {request.get_host()}):
        return ""
    found = urlsplit(given)
    try:
        place = resolve(found.path)
    except Resolver404:
        return ""
    return found._replace(scheme="", netloc="", fragment="").geturl() if place.url_name in PLACES else ""
