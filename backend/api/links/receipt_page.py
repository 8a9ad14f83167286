"""`/go/receipt/?token=`: the receipts behind a booking's link; with a number, the document itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.api.frame import error_page, render_page
from backend.api.links.pages import LinkPage
from backend.bookings import queries
from backend.core import formatting
from backend.payments import receipt_files, receipts
from backend.payments.models import Receipt

_NOT_YET = gettext_lazy("Your receipt is being made. Please open the link again in a moment.")


class ReceiptPage(LinkPage):
    """It only reads. The link is the one that shows the booking, for as long as that one works."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _answer(request.GET.get("token", ""), request.GET.get("number", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        return _answer(request.POST.get("token", ""), request.POST.get("number", ""))


def _answer(token: str, number: str) -> HttpResponse:
    booking = queries.by_token(token, now=timezone.now())
    found = receipts.of_booking(booking.pk)
    if not number:
        shown = [(one, _(one.get_kind_display()), _sum(one), formatting.long_day(one.at)) for one in found]
        facts = {"token": token, "acknowledgement_id": booking.acknowledgement_id, "receipts": shown}
        return render_page("receipt", facts)
    found = [one for one in found if one.number == number]
    return _document(found[0]) if found else error_page(404, _("There is no such receipt."))


def _sum(receipt: Receipt) -> str:
    return formatting.money(receipt.amount_paise, receipt.currency)


def _document(receipt: Receipt) -> HttpResponse:
    """To be saved: a page without scripts and frames shows none."""
    content = receipt_files.content(receipt)
    if content is None:
        waits = error_page(503, str(_NOT_YET))
        waits["Retry-After"] = "10"
        return waits
    name = f'attachment; filename="{receipt_files.file_name(receipt)}"'
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})
