"""The document of a receipt, for who takes money at the desk."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse

from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.desk.navigation import booking_to_decide, to_booking
from backend.desk.page import Page
from backend.payments import receipt_files, receipts


def receipt(request: HttpRequest, booking_id: int, receipt_id: int) -> HttpResponse:
    """It says whose it is, so that it was opened is recorded."""
    booking = booking_to_decide(AccessPolicy(request.user), booking_id, Scope.DESK)
    found = next((one for one in receipts.of_booking(booking.pk) if one.pk == receipt_id), None)
    if found is None:
        raise Http404
    content = receipt_files.content(found)
    if content is None:
        messages.warning(request, f"{found} is being made. Please try again in a moment.")
        return to_booking(booking.pk)
    disclosures.note_ids(Booking, [booking.pk], "receipt")
    name = f'attachment; filename="{receipt_files.file_name(found)}"'
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})


PAGE = Page(
    "<int:booking_id>/receipts/<int:receipt_id>/",
    "bookings_booking_receipt",
    lambda access: access.may_act_on_some(Scope.DESK),
    receipt,
)
