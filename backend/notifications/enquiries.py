"""The mail of an enquiry. Its words stay in the encrypted row: the outbox keeps only which one it is."""

from __future__ import annotations

from django.conf import settings

from backend.core import formatting
from backend.core.encryption import Unreadable
from backend.core.errors import Permanent
from backend.notifications.notification_context import TemplateContext
from backend.notifications.visitor_context import help_lines
from backend.outbox.models import Message
from backend.people.models import Enquiry


def enquiry_reference(message: Message) -> TemplateContext | None:
    """The context to freeze; None when the enquiry was deleted."""
    exists = Enquiry.objects.filter(pk=message.subject_id or 0).exists()
    return {"enquiry_id": message.subject_id} if exists else None


def enquiry_context(message: Message) -> TemplateContext:
    """What the enquiry says. Raises Permanent when it was deleted a moment ago, or cannot be read."""
    enquiry = Enquiry.objects.filter(pk=message.subject_id or 0).first()
    if enquiry is None:
        raise Permanent("the enquiry is gone", surely_not_sent=True)
    if isinstance(enquiry.text, Unreadable):  # a dead letter, to be re-driven once the key is back
        raise Permanent("the enquiry cannot be read", surely_not_sent=True)
    return {
        "received": formatting.day_and_time(enquiry.received_at),
        "about": enquiry.subject,
        "text": enquiry.text,
        "support_lines": help_lines(),
        "admin_url": f"{settings.PUBLIC_URL}/admin/people/enquiry/{enquiry.pk}/change/",
    }
