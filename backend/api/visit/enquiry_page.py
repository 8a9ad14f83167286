"""`/visit/enquiry/`: a message to the practice that is no booking."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.public import doors
from backend.api.public.requests import AddressRequest, parse_request
from backend.api.visit.page import VisitPage, ask_again, attempt, led_to, show


class EnquiryPage(VisitPage):
    """Kept and mailed to the practice; the address stands in the text, for the answer."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return show(request, "enquiry", {"typed": {}})

    def post(self, request: HttpRequest) -> HttpResponse:
        typed = {name: request.POST.get(name, "") for name in ("email", "subject", "text")}
        refusals = attempt(lambda: _receive(request, typed))
        if refusals is not None:
            return ask_again(request, "enquiry", {"typed": typed}, refusals)
        return led_to("sent", "what=enquiry")


def _receive(request: HttpRequest, typed: dict[str, str]) -> None:
    address = parse_request(AddressRequest, typed).validated_data["email"]
    text = typed["text"] and f"{typed['text']}\n\n{address}"
    doors.receive_enquiry(request, {"subject": typed["subject"], "text": text}, now=timezone.now())
