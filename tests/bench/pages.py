"""The desk's pages, as somebody opens them in a practice that is not empty."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.payments.models import Payment
from backend.people.models import Corporate, Psychologist

BOOKINGS = "/admin/bookings/booking/"


def of_reception() -> dict[str, str]:
    """The list under every filter and search, a booking, Today, and what the calendar loads."""
    wish, held = _newest(State.PENDING), _newest(State.CONFIRMED)
    pages = {name: BOOKINGS + query for name, query in _lists(wish).items()}
    pages["a request"] = f"{BOOKINGS}{wish.pk}/change/"
    pages["a session"] = f"{BOOKINGS}{held.pk}/change/"
    pages["approve"] = f"{BOOKINGS}{wish.pk}/approve/"
    pages["new booking"] = f"{BOOKINGS}new/"
    pages["today"] = "/admin/"
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    for name, first, days in (("day", today, 1), ("week", monday, 7), ("month", today.replace(day=1), 42)):
        span = f"start={first}T00:00:00&end={first + timedelta(days=days)}T00:00:00"
        pages[f"calendar, {name}"] = f"/admin/calendar/sessions/?{span}"
        pages[f"calendar, hours of the {name}"] = f"/admin/calendar/shades/?{span}&columns=1"
    return pages


def _newest(state: State) -> Booking:
    return Booking.objects.filter(state=state).latest("pk")


def _lists(wish: Booking) -> dict[str, str]:
    return {
        "list": "",
        "list, page 10": "?p=10",
        "list, by state": "?state__exact=PENDING",
        "list, completed": "?state__exact=COMPLETED",
        "list, deadline soon": "?deadline=soon",
        "list, session this week": "?session=week",
        "list, preferred tomorrow": "?preferred=tomorrow",
        "list, psychologist": f"?psychologist__id__exact={Psychologist.objects.earliest('pk').pk}",
        "list, sponsor": f"?corporate__id__exact={Corporate.objects.earliest('pk').pk}",
        "list, mode": "?mode__exact=ONLINE",
        "list, paid": "?money=paid",
        "list, to give back": "?money=owed",
        "search, id": f"?q={wish}",
        "search, name": "?q=asha+rao",
        "search, address": f"?q={wish.email}",
        "search, telephone": f"?q={wish.phone_number}",
        "search, part of a telephone number": f"?q={wish.phone_number[3:8]}",
        "search, nothing": "?q=nobody+of+this+name",
    }


def of_the_owner() -> dict[str, str]:
    """Money, people, mails, and what operators look at."""
    paid = Payment.objects.latest("pk")
    return {
        "today, with the month": "/admin/",
        "payments": "/admin/payments/payment/",
        "payments, search": f"/admin/payments/payment/?q={paid.reference}",
        "clients": "/admin/people/client/",
        "clients, search": "/admin/people/client/?q=asha",
        "clients, search, nothing": "/admin/people/client/?q=nobody+of+this+name",
        "ledger": "/admin/bookings/ledgerentry/",
        "outbox": "/admin/outbox/message/",
        "outbox, waiting": "/admin/outbox/message/?state__exact=waiting",
        "overview": "/admin/ops/act/overview/",
        "dead letters": "/admin/ops/act/dead-letters/",
        "numbers": "/admin/numbers/",
        "a scrape": "/metrics",
    }
