"""A person corrects what we keep of them, by *Your data*. The door judges each answer as the site's form does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from backend.audit import own_data
from backend.bookings import policy
from backend.bookings.lifecycle.erasure_requests import lock_person, notify_person
from backend.bookings.lifecycle.transaction import VISITOR, intent
from backend.bookings.models import Booking, DataRequest, RequestKind, RequestState
from backend.bookings.notices import Notice
from backend.channels import consents
from backend.core import row_locks
from backend.people.models import Client
from backend.people.privacy_notice import IN_FORCE

# not the address, which is the proof; not the age, by which staff ask for a guardian; not what was said of one request
CORRECTABLE = ("full_name", "phone_number", "city", "region", "country", "gender", "emergency_contact")


@intent
def correct(token: str, answers: Mapping[str, str], *, now: datetime) -> DataRequest:
    """The client and all of their bookings say it so from now on; the versions before stay in the history.

    A mail tells that something was changed, and not what it says now. Refuses: link_unknown, link_expired.
    """
    asked_by, person = own_data.proved_by(token, now=now)
    client = lock_person(person.pk)
    rows: list[Client | Booking] = [client, *row_locks.lock(Booking.objects.filter(client=client).order_by("pk"))]
    changed = [name for name in CORRECTABLE if any(getattr(row, name) != answers[name] for row in rows)]
    for row in rows:
        for name in CORRECTABLE:
            setattr(row, name, answers[name])
        row.save(update_fields=CORRECTABLE)
    if "phone_number" in changed:
        number = answers["phone_number"]
        consents.renumber(client.pk, number, by=VISITOR, notice_version=IN_FORCE.version, now=now)
    request = record(RequestKind.CORRECTION, asked_by, client, changed=changed, now=now)
    if changed:
        notify_person(request, Notice.DATA_CORRECTED, to=client.email, now=now)
    return request


def record(
    kind: RequestKind, booking: Booking, client: Client, *, changed: Iterable[str] = (), now: datetime
) -> DataRequest:
    """What was done as it was asked."""
    return DataRequest.objects.create(
        kind=kind,
        state=RequestState.DONE,
        booking=booking,
        client=client,
        changed=" ".join(changed),
        asked_at=now,
        deadline=now + policy.DATA_REQUEST_WITHIN,
        closed_at=now,
    )
