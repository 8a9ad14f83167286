"""Who read of a booking in the last year."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from backend.audit.readings import of_booking, since
from backend.bookings.access import AccessPolicy
from backend.desk import readings
from backend.desk.navigation import visible_bookings
from backend.desk.page import Page


def readers(request: HttpRequest, booking_id: int) -> HttpResponse:
    """For those who see the booking and the access log."""
    booking = get_object_or_404(visible_bookings(AccessPolicy(request.user)), pk=booking_id)
    return readings.page(request, booking, of_booking(booking, since=since(timezone.now())))


PAGE = Page("<int:booking_id>/readers/", "bookings_booking_readers", readings.may_see, readers)
