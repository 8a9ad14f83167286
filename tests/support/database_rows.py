"""What the database holds, to see that nothing was written."""

from __future__ import annotations

import json

from backend.bookings.models import Booking, LedgerEntry, Link
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund
from backend.people.models import Enquiry


def everything() -> str:
    """All that a request could have changed."""
    models = (Booking, LedgerEntry, Message, Link, Payment, Refund, Enquiry)
    return json.dumps([list(model.objects.order_by("pk").values()) for model in models], default=str)
