"""What the admin's pages cost at 100,000 bookings: `python -m tests.benchmarks.desk_pages`, in a database of its own.

By itself on SQLite; after `python -m config.local.postgres --` on PostgreSQL, whose own CPU is not in it. Prints
queries and milliseconds of each page, as a receptionist opens it: of the clock, and of this process's CPU, which a busy
machine leaves alone. Tests hold the queries; no test holds the times.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from datetime import timedelta

import django

TIMES = 7


def main(count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.runner import DiscoverRunner

    runner = DiscoverRunner(verbosity=0, interactive=False)
    made = runner.setup_databases()
    try:
        begun = time.perf_counter()
        call_command("seed_large", count=count, stdout=sys.stderr)
        sys.stdout.write(f"{connection.vendor}, {count} bookings, made in {time.perf_counter() - begun:.0f} s\n")
        _measure()
    finally:
        runner.teardown_databases(made)


def _measure() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from backend.accounts.roles import Role
    from tests.support import roles
    from tests.support.admin_site import logged_in

    gc.collect()
    gc.freeze()  # as config/wsgi.py does
    browser = logged_in(roles.account(Role.RECEPTIONIST))
    browser.defaults["SERVER_NAME"] = "localhost"  # nothing of the tests' own is set up: it would cost time
    sys.stdout.write(
        "| Page | Queries | Best ms | Middle ms | CPU ms | Slowest query ms |\n|---|---|---|---|---|---|\n"
    )
    for name, url in pages().items():
        browser.get(url)  # fills the caches of templates and content types
        costs, cpu = [], []
        for _ in range(TIMES):
            before, worked = time.perf_counter(), time.process_time()
            browser.get(url)
            costs.append((time.perf_counter() - before) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
        with CaptureQueriesContext(connection) as captured:
            browser.get(url)
        slowest = max(float(query["time"]) * 1000 for query in captured.captured_queries)
        figures = (min(costs), statistics.median(costs), statistics.median(cpu), slowest)
        sys.stdout.write(f"| {name} | {len(captured)} | {' | '.join(f'{ms:.0f}' for ms in figures)} |\n")
        sys.stdout.flush()


def pages() -> dict[str, str]:
    """The list under every filter and search, a booking, Today, and what the calendar loads."""
    from django.utils import timezone

    from backend.bookings.machine import State
    from backend.bookings.models import Booking
    from backend.people.models import Corporate, Psychologist

    one = Booking.objects.filter(state=State.PENDING).first()
    held = Booking.objects.filter(state=State.CONFIRMED).first()
    assert one is not None
    assert held is not None
    queries = {
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
        "search, id": f"?q={one}",
        "search, name": "?q=asha+rao",
        "search, address": f"?q={one.email}",
        "search, telephone": f"?q={one.phone_number}",
        "search, part of a telephone number": f"?q={one.phone_number[3:8]}",
        "search, nothing": "?q=nobody+of+this+name",
    }
    urls = {name: f"/admin/bookings/booking/{query}" for name, query in queries.items()}
    urls["a request"] = f"/admin/bookings/booking/{one.pk}/change/"
    urls["a session"] = f"/admin/bookings/booking/{held.pk}/change/"
    urls["approve"] = f"/admin/bookings/booking/{one.pk}/approve/"
    urls["new booking"] = "/admin/bookings/booking/new/"
    urls["today"] = "/admin/"
    urls["a scrape"] = "/metrics"
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    for name, first, days in (("day", today, 1), ("week", monday, 7), ("month", today.replace(day=1), 42)):
        span = f"start={first}T00:00:00&end={first + timedelta(days=days)}T00:00:00"
        urls[f"calendar, {name}"] = f"/admin/calendar/sessions/?{span}"
        urls[f"calendar, hours of the {name}"] = f"/admin/calendar/shades/?{span}&columns=1"
    return urls


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
