"""What of a mail's calendar parts its provider can carry; the rest is left out, for Anymail refuses the whole mail."""

from __future__ import annotations

from anymail.backends.base import AnymailBaseBackend
from django.core.mail import EmailAttachment, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

CALENDAR = "text/calendar"
# By Anymail's names. SMTP takes any part, and so do these; the others take text, HTML and files
TAKE_ANY_ALTERNATIVE = ("Amazon SES", "SendGrid")
TYPE_BY_NAME = ("Resend",)  # a file's type is what its name says, without the method


def fit(mail: EmailMultiAlternatives, connection: BaseEmailBackend) -> None:
    """For `connection`. The entry stays as a file, whose type names its method where the provider lets it."""
    if not isinstance(connection, AnymailBaseBackend):
        return
    if connection.esp_name not in TAKE_ANY_ALTERNATIVE:
        mail.alternatives = [one for one in mail.alternatives if not str(one[1]).startswith(CALENDAR)]
    if connection.esp_name in TYPE_BY_NAME:
        mail.attachments = [_plainly_typed(one) for one in mail.attachments]


def _plainly_typed(one: EmailAttachment) -> EmailAttachment:
    return one._replace(mimetype=CALENDAR) if str(one.mimetype).startswith(CALENDAR) else one
