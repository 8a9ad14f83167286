"""A change that is written once changes what Django's own would."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from backend.bookings.models import Booking, SlotClaim
from backend.core import statements
from backend.core.compiled_changes import GivenIds, compiled_delete, compiled_update, update_alike
from backend.core.compiled_queries import Given
from tests.support import factories

pytestmark = pytest.mark.django_db


def made(now: datetime) -> list[Booking]:
    return [factories.make_booking("PENDING", now=now, email=f"{n}@example.org") for n in range(3)]


def steps() -> list[int]:
    return list(Booking.objects.order_by("pk").values_list("ledger_sequence", flat=True))


def cities() -> list[str]:
    return list(Booking.objects.order_by("pk").values_list("city", flat=True))


def test_it_changes_the_rows_of_its_list_and_tells_how_many(now: datetime) -> None:
    one, two, _ = made(now)
    before = one.ledger_sequence
    moved = compiled_update(
        lambda: Booking.objects.filter(pk__among=GivenIds("ids"), state="PENDING"),
        city=Given("city"), ledger_sequence=F("ledger_sequence") + 1,
    )  # fmt: skip
    for city in ("Kochi", "Goa"):
        with CaptureQueriesContext(connection) as asked:
            assert moved.run(ids=[one.pk, two.pk, 10**9], city=city) == 2
        assert len(asked) == 1
    assert cities() == ["Goa", "Goa", "Pune"]
    assert steps() == [before + 2, before + 2, before]
    assert moved.run(ids=[], city="nowhere") == 0
    with pytest.raises(KeyError):
        moved.run(ids=[one.pk])


def test_a_foreign_key_is_among_them_too(now: datetime) -> None:
    booking = factories.make_booking("CONFIRMED", now=now)
    other = factories.make_booking("CONFIRMED", now=now, email="other@example.org")
    freed = compiled_delete(lambda: SlotClaim.objects.filter(booking__among=GivenIds("bookings")))
    assert freed.run(bookings=[booking.pk]) == 1
    assert list(SlotClaim.objects.values_list("booking", flat=True)) == [other.pk]


def test_rows_that_others_refer_to_are_not_deleted_so() -> None:
    with pytest.raises(TypeError, match="refer"):
        compiled_delete(lambda: Booking.objects.filter(pk__among=GivenIds("ids"))).run(ids=[1])


def test_rows_get_the_same_values_and_no_text_that_each_has_to_seal(now: datetime) -> None:
    one, two, other = made(now)
    before = one.ledger_sequence
    both = update_alike(Booking, [one.pk, two.pk], {"city": "Goa", "closed_at": None}, grown="ledger_sequence")
    assert statements.run(both) == [2]
    assert cities() == ["Goa", "Goa", "Pune"]
    assert steps() == [before + 1, before + 1, before]
    assert statements.run(update_alike(Booking, [other.pk, 10**9], {"city": "Goa"})) == [1]
    with pytest.raises(TypeError):
        update_alike(Booking, [one.pk], {"user_message": "a text"})
