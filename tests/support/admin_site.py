"""The admin as a person at the desk uses it: who is logged in, where pages are, what their forms say."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Permission, User
from django.db import models
from django.test import Client as Browser
from django.urls import reverse

from backend.accounts import verification
from backend.accounts.verification import Factor
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.outbox.models import Message
from backend.payments.models import Payment, Refund
from backend.people.models import Psychologist
from tests.support import scenarios

Row = Mapping[str, object]


def logged_in(user: User, **options: bool) -> Browser:
    """Password and second factor are proved, without either. `options` are the browser's."""
    browser = password_given(user, **options)
    session = browser.session
    session.update({verification.FACTOR: Factor.APP.value, verification.PROVED: session[verification.BEGAN]})
    session.save()
    return browser


def password_given(user: User, **options: bool) -> Browser:
    """The second step is still to be done."""
    browser = Browser(**options)
    browser.force_login(user)
    return browser


def owner(username: str = "desk") -> Browser:
    """Somebody who may do everything, logged in."""
    return logged_in(User.objects.create_superuser(username))


def clerk(username: str, *permissions: str) -> Browser:
    """An account with only these permissions, logged in."""
    user = User.objects.create_user(username, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return logged_in(user)


def list_url(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_url(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def action_url(booking: Booking, name: str) -> str:
    return reverse(f"admin:bookings_booking_{name}", args=[booking.pk])


def form_of(booking: Booking, **typed: str) -> dict[str, str]:
    """What the browser sends from an action's page opened now."""
    return {"seen": str(scenarios.again(booking).ledger_sequence), **typed}


def new_booking_url() -> str:
    """Where staff type in the request of somebody on the phone."""
    return reverse("admin:bookings_booking_new")


def caller_form(**changes: str) -> dict[str, str]:
    """What a receptionist fills in."""
    return {
        "full_name": "Asha Rao", "email": "Asha@Example.org", "phone_number": "9876543210", "age": "31",
        "gender": "FEMALE", "city": "Pune", "region": "", "country": "India", "emergency_contact": "Vikram Rao",
        "preferred_date": "2026-11-26", "preferred_period": "CUSTOM", "preferred_time_start": "18:00",
        "preferred_time_end": "20:00", "mode": "ONLINE", "payment_mode": "OFFLINE", "user_message": "Sleeps badly.",
        "consent": "on",
    } | changes  # fmt: skip


def session_form(
    booking: Booking, who: Psychologist | None, start: str = "2026-11-25 18:00", **changes: str
) -> dict[str, str]:
    """What staff type to approve or to move; times are the practice's."""
    day, _, hour = start.partition(" ")
    psychologist = str(who.pk) if who else ""
    typed = {"psychologist": psychologist, "slot_start_0": day, "slot_start_1": hour, "length": "60"}
    return form_of(booking, **(typed | changes))


def rows_of(prefix: str, *rows: Row, stored: int = 0) -> dict[str, str]:
    """What the browser sends of an inline: these rows, the first `stored` of them read from the database."""
    sent = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": str(stored)}
    for number, row in enumerate(rows):
        sent |= {f"{prefix}-{number}-{name}": str(value) for name, value in row.items()}
    return sent


def psychologist_form(
    hours: tuple[dict[str, object], ...] = (), off: tuple[dict[str, object], ...] = ()
) -> dict[str, str]:
    """The part of a psychologist's page that is about their time, all of its rows new."""
    return rows_of("working_hours", *hours) | rows_of("time_off", *off)


def written() -> tuple[object, ...]:
    """Everything that an action may add to or change."""
    counts = [model.objects.count() for model in (LedgerEntry, Message, Payment)]
    claims = list(SlotClaim.objects.order_by("pk").values())
    return *counts, claims, list(Refund.objects.order_by("pk").values()), list(Booking.objects.order_by("pk").values())


def buttons(browser: Browser, booking: Booking) -> set[str]:
    """The actions that the booking's page offers."""
    return {action.name for action in browser.get(page_url(booking)).context["actions"]}
