"""`/go/calendar/?token=`: a psychologist's sessions, for the calendar program that subscribes to them."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext as _

from backend.api.frame import error_page
from backend.api.links.pages import LinkPage
from backend.people.models import CalendarAddress


class CalendarPage(LinkPage):
    """It only reads. Nobody keeps a copy on the way; who has the same already is told so."""

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        reader = CalendarAddress.reader(request.GET.get("token", ""))
        if reader is None:
            return error_page(404, _("There is no such calendar."))
        from backend.notifications.subscribed_calendar import subscribed_calendar  # a library that few ask for

        content = subscribed_calendar(reader, now=now)
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if "*" in known or tag in (other.removeprefix("W/") for other in known):
            return HttpResponseNotModified(headers={"ETag": tag})
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers={"ETag": tag})

    def post(self, request: HttpRequest) -> HttpResponse:
        """No program posts here; nothing is found by what it sends."""
        return self.get(request)
