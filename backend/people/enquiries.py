"""Enquiries that name a person. They are known by their text alone, so each is opened; it is shown to nobody."""

from __future__ import annotations

import re
from collections.abc import Collection

from backend.core import disclosures
from backend.core.encryption import Unreadable
from backend.people.models import Enquiry


def forget(addresses: Collection[str]) -> int:
    """Delete those in which one of these addresses stands, whole, in any case. Returns how many."""
    if not addresses:
        return 0
    names = re.compile(rf"(?<![\w.+-])({'|'.join(map(re.escape, addresses))})(?![\w-]|\.\w)", re.IGNORECASE)
    with disclosures.unseen():
        ids = [row.pk for row in Enquiry.objects.order_by("pk").iterator() if _says(row, names)]
    return Enquiry.objects.filter(pk__in=ids).delete()[0]


def _says(enquiry: Enquiry, names: re.Pattern[str]) -> bool:
    text = "" if isinstance(enquiry.text, Unreadable) else enquiry.text
    return names.search(f"{enquiry.subject}\n{text}") is not None
