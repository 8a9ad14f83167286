"""What a booking says of itself, without any other row."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.models import Booking

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(("age", "is_minor"), [(None, False), (0, True), (17, True), (18, False), (120, False)])
def test_who_is_younger_than_an_adult_is_a_minor_and_an_unknown_age_is_not(age: int | None, is_minor: bool) -> None:
    assert Booking(age=age).is_minor is is_minor


@pytest.mark.parametrize(("age", "lacks"), [(17, True), (18, False)])
def test_a_minor_lacks_consent_until_staff_record_the_guardians(age: int, lacks: bool, now: datetime) -> None:
    assert Booking(age=age).lacks_consent is lacks
    assert not Booking(age=age, guardian_consent_at=now).lacks_consent


@pytest.mark.parametrize(
    ("mode", "payment_mode", "is_due"),
    [
        ("OFFLINE", "OFFLINE", True),
        ("OFFLINE", "ONLINE", False),
        ("ONLINE", "OFFLINE", False),
        ("ONLINE", "ONLINE", False),
    ],
)
def test_only_what_is_held_and_paid_in_person_is_due_at_the_practice(
    mode: str, payment_mode: str, is_due: bool
) -> None:
    booking = Booking(mode=mode, payment_mode=payment_mode, amount_paise=150_000)
    assert booking.is_due_at_practice is is_due
    assert booking.needs_payment is not is_due


@pytest.mark.parametrize(("amount", "corporate", "needs"), [(1, None, True), (0, None, False), (1, 7, False)])
def test_a_sum_that_no_sponsor_pays_needs_payment(amount: int, corporate: int | None, needs: bool) -> None:
    booking = Booking(mode="ONLINE", payment_mode="ONLINE", amount_paise=amount, corporate_id=corporate)
    assert booking.is_sponsored is (corporate is not None)
    assert booking.needs_payment is needs
