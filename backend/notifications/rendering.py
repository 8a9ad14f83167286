"""The mail as bytes: templates rendered, styles inlined, and nothing in it left to chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.policy import Compat32
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from css_inline import CSSInliner
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine

from backend.notifications import plain_text

OUR_ID = "message"
SHORT = 70  # characters of a header: no line of a mail is folded below 78
# Inlined, because many mail clients drop <style>; the rules for narrow screens cannot be inlined and stay. Nothing is
# ever fetched: a stylesheet from elsewhere would let text in a mail make this server call out.
_inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class RenderedMail:
    """One rendered mail: its subject and its two bodies."""

    subject: str
    plain: str
    html: str


class ReproducibleMail(EmailMultiAlternatives):
    """A mail that comes out as the same bytes each time: its id, date and boundaries are those of its outbox row."""

    def __init__(self, text: RenderedMail, *, to: str, uuid: UUID, dated: datetime, correlation_id: str) -> None:
        headers = {
            "Date": format_datetime(dated.astimezone(UTC)),
            "Message-ID": f"<{uuid}@{domain()}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: keeps holiday answers from coming back
        }
        if correlation_id:
            headers["X-Correlation-ID"] = correlation_id
        super().__init__(text.subject, text.plain, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)
        self.attach_alternative(text.html, "text/html")
        self.metadata = {OUR_ID: str(uuid)}  # a provider that is asked over HTTP says it again in what it reports
        self._boundary = f"=_{uuid.hex}"

    def message(self, **options: Any) -> Any:  # Django 5 has no options and a type of its own; Django 6 has Python's
        """As Django builds it, with boundaries of our own; Python would draw them at random."""
        mime = super().message(**options)
        for part in mime.walk():
            part.policy = _POLICY
        for number, part in enumerate(part for part in mime.walk() if part.is_multipart()):
            part.set_boundary(f"{self._boundary}_{number}")
        return mime


class _ShortHeadersAsTheyAre(Compat32):
    """Python folds each header as if it were long and of any language; that takes most of the time of making bytes."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same bytes, sooner."""
        is_short = isinstance(value, str) and len(name) + len(value) < SHORT and value.isascii() and value.isprintable()
        return f"{name}: {value}{self.linesep}".encode() if is_short else super().fold_binary(name, value)


_POLICY = _ShortHeadersAsTheyAre()


def domain() -> str:
    """This backend's host, after which mails and calendar entries are named."""
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


def render(name: str, context: Mapping[str, object]) -> RenderedMail:
    """The mail `name`, in the active language: one template has its subject, its HTML, and so its text."""
    html = Engine.get_default().get_template(f"mail/{name}.html").render(Context(dict(context)))
    subject, plain = plain_text.of_html(html)
    return RenderedMail(subject, plain, _inliner.inline(html))
