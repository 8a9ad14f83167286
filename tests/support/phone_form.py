"""The form for a caller's request, as a receptionist fills it in."""

from __future__ import annotations

from django.urls import reverse


def new_url() -> str:
    return reverse("admin:bookings_booking_new")


def typed(**changes: str) -> dict[str, str]:
    """What a receptionist fills in."""
    return {
        "full_name": "Asha Rao", "email": "Asha@Example.org", "phone_number": "9876543210", "age": "31",
        "gender": "FEMALE", "city": "Pune", "region": "", "country": "India", "emergency_contact": "Vikram Rao",
        "preferred_date": "2026-11-26", "preferred_period": "CUSTOM", "preferred_time_start": "18:00",
        "preferred_time_end": "20:00", "mode": "ONLINE", "payment_mode": "OFFLINE", "user_message": "Sleeps badly.",
        "consent": "on",
    } | changes  # fmt: skip
