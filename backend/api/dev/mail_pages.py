"""`/dev/mail/`: what `make run` has mailed, to read and to follow; with DEBUG off there is no such page.

A mail is shown in a frame that runs nothing, sends nothing and loads nothing. Its links open outside of it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from backend.api.dev import mailbox
from backend.api.dev.mailbox import Kept
from backend.api.frame import HEADERS, FramedPage

_CLOSED = "base-uri 'none'; form-action 'none'"
PAGE = f"default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; {_CLOSED}; frame-ancestors 'none'"
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"  # a link opens a page as any other tab
FRAMED = f"default-src 'none'; style-src 'unsafe-inline'; {_CLOSED}; frame-ancestors 'self'; sandbox {SANDBOX}"
_LINKS_OPEN_TABS = '<base target="_blank">'  # the pages that they lead to let nobody frame them


class DevPage(FramedPage):
    """For who works on the backend."""

    http_method_names = ["get", "head"]
    headers = {**HEADERS, "Content-Security-Policy": PAGE}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEBUG:
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class Mails(DevPage):
    """The list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"mails": mailbox.newest(), "is_kept": mailbox.is_kept(), "folder": settings.EMAIL_FILE_PATH}
        return render(request, "dev/mails.html", context)


class Mail(DevPage):
    """One of them: as its reader sees it, its text, and all that it carries."""

    def get(self, request: HttpRequest, file: str, number: int) -> HttpResponse:
        found = _found(file, number)
        context = {"mail": found, "headers": found.mail.items(), "sandbox": SANDBOX}
        return render(request, "dev/mail.html", context)


class MailBody(DevPage):
    """Its HTML, as the frame asks for it."""

    headers = {**HEADERS, "Content-Security-Policy": FRAMED, "X-Frame-Options": "SAMEORIGIN"}

    def get(self, _request: HttpRequest, file: str, number: int) -> HttpResponse:
        return HttpResponse(_found(file, number).html.replace("<head>", f"<head>{_LINKS_OPEN_TABS}", 1))


class MailPart(DevPage):
    """A part, to be saved."""

    def get(self, _request: HttpRequest, file: str, number: int, part: int) -> HttpResponse:
        found = next((one for one in _found(file, number).beside if one.number == part), None)
        if found is None:
            raise Http404
        saved = {"Content-Disposition": f'attachment; filename="{found.name}"'}
        return HttpResponse(found.content, content_type=found.kind, headers=saved)


def _found(file: str, number: int) -> Kept:
    found = mailbox.one(file, number)
    if found is None:
        raise Http404
    return found
