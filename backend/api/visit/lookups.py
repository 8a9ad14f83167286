"""Two ways back to a booking: by its id to what everybody may see of it, by the address to a mail with its link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.public import doors
from backend.api.visit import booking_context
from backend.api.visit.page import VisitPage, ask_again, attempt, led_to, show


class StatusPage(VisitPage):
    """`/visit/status/?id=`: how a booking stands. Nothing personal: who knows the id may not be who booked."""

    def get(self, request: HttpRequest) -> HttpResponse:
        typed = {"acknowledgement_id": request.GET.get("id", "")}
        if not typed["acknowledgement_id"]:
            return show(request, "status", {"typed": typed})
        found = {}
        now = timezone.now()
        refusals = attempt(
            lambda: found.update(booking_context.by_id(doors.find_booking(request, typed, now=now), now=now))
        )
        if refusals is not None:
            return ask_again(request, "status", {"typed": typed}, refusals)
        return show(request, "status", {"typed": typed, **found})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Have the link mailed that cancels."""
        doors.ask_to_cancel(request, {"acknowledgement_id": request.POST.get("id", "")}, now=timezone.now())
        return led_to("sent", "what=cancel")


class SendLinkPage(VisitPage):
    """`/visit/link/`: one answer, whoever asks."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return show(request, "link", {"typed": {}})

    def post(self, request: HttpRequest) -> HttpResponse:
        typed = {"email": request.POST.get("email", "")}
        refusals = attempt(lambda: doors.send_link(request, typed, now=timezone.now()))
        return (
            led_to("sent", "what=link") if refusals is None else ask_again(request, "link", {"typed": typed}, refusals)
        )
