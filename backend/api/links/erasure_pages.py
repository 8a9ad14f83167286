"""`/go/data/erase/?token=` asks to be erased; `/go/erasure/?token=`, in the mail that follows, proves and stops it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.audit import own_data
from backend.bookings import policy
from backend.bookings.kept_after_erasure import kept
from backend.bookings.lifecycle import erasure_requests
from backend.bookings.models import DataRequest, RequestState
from backend.core import formatting
from backend.notifications.data_requests import facts


class ErasePage(LinkPage):
    """What will happen and what stays; the button mails the link that proves the wish."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        own_data.proved_by(token, now=timezone.now())
        lasts = formatting.span(policy.ERASURE_AFTER)
        return render_page("erase", {"token": token, "kept": kept(), "erasure_after": lasts})

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = erasure_requests.ask_erasure(request.POST.get("token", ""), now=timezone.now())
        return render_page("erase_asked", {**facts(asked), "is_waiting": asked.state == RequestState.WAITING})


class ErasurePage(LinkPage):
    """How far it is; the one button does what there is left to do."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        return _shown(erasure_requests.erasure_of(token), token)

    def post(self, request: HttpRequest) -> HttpResponse:
        """A step that is none changes nothing."""
        token, now = request.POST.get("token", ""), timezone.now()
        steps = {"prove": erasure_requests.prove_erasure, "stop": erasure_requests.stop_erasure}
        step = steps.get(request.POST.get("step", ""))
        return _shown(step(token, now=now) if step else erasure_requests.erasure_of(token), token)


def _shown(asked: DataRequest, token: str) -> HttpResponse:
    return render_page("erasure", {**facts(asked), "state": asked.state, "token": token})
