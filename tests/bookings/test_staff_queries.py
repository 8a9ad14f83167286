"""One booking as staff read it: asked once written, or with who may see it."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db.models import Q

from backend.bookings import staff_queries
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused
from tests.support import scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
BESIDE = ("psychologist", "preferred_psychologist", "corporate", "follows")


def read(booking: Booking) -> dict[str, object]:
    """What came with the row: the columns that were not put off, and what it is joined to."""
    beside = {name: vars(one) for name in BESIDE if (one := booking._state.fields_cache[name]) is not None}
    found = {**vars(booking), **beside}
    return {name: _plain(value) for name, value in found.items() if name != "_state"}


def _plain(value: object) -> object:
    return {k: v for k, v in value.items() if k != "_state"} if isinstance(value, dict) else value


def test_who_sees_all_is_given_what_who_sees_some_is(now: datetime) -> None:
    booking, earlier = scenarios.approved(now=now), scenarios.pending(scenarios.RAVI, now=now)
    booking.follows = earlier
    booking.save()
    for one in (booking, earlier):
        among_all = staff_queries.booking(one.acknowledgement_id.lower(), among=Q())
        assert read(among_all) == read(staff_queries.booking(one.acknowledgement_id, among=Q(pk=one.pk)))
        assert "user_message" in among_all.get_deferred_fields()
        assert staff_queries.booking_id(one.acknowledgement_id, among=Q()) == one.pk


@pytest.mark.parametrize("among", [Q(), Q(pk=0)])
def test_what_nobody_has_or_they_do_not_see_is_unknown(among: Q, now: datetime) -> None:
    known = scenarios.pending(now=now).acknowledgement_id if among else "MS-000000"
    for look in (staff_queries.booking, staff_queries.booking_id):
        with pytest.raises(Refused) as refused:
            look(known, among=among)
        assert refused.value.code is Code.BOOKING_UNKNOWN
