"""What somebody writes through the site's contact forms: kept, and mailed to the practice."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from backend.bookings import policy
from backend.bookings.lifecycle.notify import staff_have_room
from backend.bookings.lifecycle.transaction import intent
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox import messages
from backend.outbox.models import Queue
from backend.people.models import Enquiry


@intent
def receive_enquiry(subject: str, text: str, *, now: datetime) -> Enquiry:
    """Keep an enquiry and owe its mail, as far as the inbox has room. Refuses: too_many_enquiries, of all senders."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('enquiries', 0))")
    recent = Enquiry.objects.filter(received_at__gt=now - timedelta(hours=1))
    if recent.count() >= policy.ENQUIRIES_ALL:
        raise Refused(Code.TOO_MANY_ENQUIRIES, retry_after=timedelta(hours=1))
    enquiry = Enquiry.objects.create(subject=subject, text=text, received_at=now)
    messages.emit(
        queue=Queue.MAIL,
        kind=Notice.STAFF_ENQUIRY_RECEIVED,
        dedupe_key=f"enquiry:{enquiry.pk}",
        now=now,
        recipient=settings.STAFF_INBOX,
        subject_id=enquiry.pk,
        suppressed=not staff_have_room(settings.STAFF_INBOX, now),
    )
    return enquiry
