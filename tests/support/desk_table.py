"""Every page and button of the desk, and the endpoint of the staff API that does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib import admin
from django.urls import URLPattern

from backend.accounts import scopes
from backend.api.staff.auth import area_of
from backend.api.staff.records.kinds import RECORDS
from backend.desk.booking.actions.table import ACTIONS
from tests.support import roles
from tests.support.server import ROOT

BOOKING, WEBHOOK = "bookings/<acknowledgement_id>/", "webhooks/<row_id>/"
NAMES = {"record-payment": "desk-payment", "record-outcome": "outcome", "void-payment": "void-desk-payment"}
LOOKS, REPORT = "GET bookings/", "GET corporates/<row_id>/report/"
PAGES = {  # by the name of the page's address
    "today": (LOOKS, "GET to-tell/", "GET data-requests/", "GET refunds/", "GET reports/month/"),
    "numbers": ("GET reports/numbers/",),
    "accounts": ("GET reports/accounts/", "GET reports/movements/"),
    "people_corporate_report": (REPORT,),
    "people_corporate_report_csv": (REPORT,),
    "index": (LOOKS,),
    "calendar": (LOOKS, "GET held-slots/"),
    "sessions": (LOOKS,),
    "shades": ("GET psychologists/<row_id>/hours/", "GET psychologists/<row_id>/time-off/", "GET closed-days/"),
    "day": (LOOKS,),
    "busy": ("POST psychologists/<row_id>/time-off/",),
    "free": ("DELETE psychologists/<row_id>/time-off/<time_off_id>/",),
    "bookings_closedday_sessions": ("GET closed-days/sessions/", "POST closed-days/sessions/"),
    "bookings_booking_new": ("POST bookings/", f"POST {BOOKING}approve/", f"POST {BOOKING}desk-payment/"),
    "bookings_booking_tell": ("GET to-tell/", f"POST {BOOKING}told/", f"POST {BOOKING}mail-again/"),
    "bookings_booking_many": ("POST bookings/many/approve/", "POST bookings/many/reject/"),
    "bookings_booking_export": (LOOKS,),
    "bookings_booking_follow_up": (f"POST {BOOKING}follow-up/",),
    "bookings_booking_move_all": (f"POST {BOOKING}move-series/",),
    "bookings_booking_cancel_all": (f"POST {BOOKING}cancel-series/",),
    "bookings_booking_reminders": (f"GET {BOOKING}reminders/", f"POST {BOOKING}reminders/"),
    "bookings_booking_reveal_phone": (f"POST {BOOKING}reveal-phone/",),
    "bookings_booking_readers": (f"GET {BOOKING}readers/",),
    "bookings_booking_receipt": (f"GET {BOOKING}receipts/<document>/",),
    "bookings_booking_room": (f"POST {BOOKING}room/",),
    "bookings_booking_panel": (f"GET {BOOKING}",),
    "bookings_booking_drag": (f"POST {BOOKING}reschedule/",),
    "people_client_readers": ("GET clients/<row_id>/readers/",),
    "people_client_erase": ("POST clients/<row_id>/erasure/", "DELETE clients/<row_id>/erasure/"),
    "people_psychologist_away": ("GET psychologists/<row_id>/absence/", "POST psychologists/<row_id>/absence/"),
    "ops_overview": ("GET overview/",),
    "ops_schedules": ("GET overview/", "GET timer-runs/"),
    "ops_timer": ("GET timer-runs/", "POST timers/<timer>/run/"),
    "ops_queue": (
        "GET queues/<queue>/", "POST queues/<queue>/pause/", "POST queues/<queue>/resume/",
        "POST messages/<row_id>/release/",
    ),
    "ops_dead_letters": (
        "GET messages/", "POST messages/<row_id>/redrive/", "POST messages/<row_id>/discard/",
        "POST dead-letters/redrive/", "POST dead-letters/discard/",
    ),
    "webhooks_subscription_changelist": ("GET webhooks/", f"POST {WEBHOOK}rotate-secret/", f"POST {WEBHOOK}end/"),
    "webhooks_subscription_add": ("POST webhooks/",),
    "webhooks_subscription_change": (f"GET {WEBHOOK}", f"POST {WEBHOOK}"),
    "webhooks_delivery_changelist": (f"GET {WEBHOOK}deliveries/", f"POST {WEBHOOK}send-again/"),
    "webhooks_delivery_change": (f"GET {WEBHOOK}deliveries/",),
    "logout": ("POST logout/",),
    "login": ("POST login/",),
    **{f"bookings_booking_{one.name}": (f"POST {BOOKING}{NAMES.get(one.name, one.name)}/",) for one in ACTIONS},
}  # fmt: skip
ROWS = {"bookings_booking": (LOOKS, f"GET {BOOKING}"), "ops_process": ("GET overview/",)}
BELOW = {"psychologists": ("hours",), "corporates": ("domains",)}  # rows that stand below one on its page
FRESH = "it is worth a fresh proof of both factors, which no token is"
PROOF = "one's own password, factors and sessions are proved by a person"
FRAME = "a part of the pages' own frame"
LIBRARYS = "the scheduler's library keeps it, and `release` installs it anew"
EXCEPTED = {
    **dict.fromkeys(("second_step", "enrol", "confirm", "account", "account_app"), PROOF),
    **dict.fromkeys(("password_change", "password_change_done", "auth_user_password_change"), PROOF),
    **dict.fromkeys(("tokens", "token_new"), "a token that makes tokens would outlive its own end; `logoutall/`"),
    **dict.fromkeys(("colleagues", "invite", "colleague", "reset_factor", "auth_user", "auth_group"), FRESH),
    **dict.fromkeys(("all", "autocomplete", "jsi18n", "view_on_site", "app_list"), FRAME),
    **{f"django_celery_beat_{name}schedule": LIBRARYS for name in ("crontab", "interval")},
    "django_celery_beat_periodictask": LIBRARYS,
}
HISTORY = "versions are compared by people; what happened is at `events/`, `ledger/`, `acts/` and `access-records/`"


def endpoints() -> dict[str, str]:
    """Every endpoint of the staff API, as `METHOD address/`, and the scope that it needs."""
    found = {}
    for route, pattern in roles.patterns():
        view = getattr(pattern.callback, "view_class", None)
        for method in ("get", "post", "put", "patch", "delete") if route.startswith("api/staff/") else ():
            if hasattr(view, method):
                name = f"{method.upper()} {re.sub(r'<[a-z]+:', '<', route.removeprefix('api/staff/'))}"
                found[name] = scopes.needed(area_of(view), is_reading=method == "get") if hasattr(view, "area") else "–"
    return found


def pages() -> Iterator[tuple[str, tuple[str, ...] | str]]:
    """Each page of the desk as an address, and its endpoints or why there is none."""
    models = {model._meta.label_lower.replace(".", "_"): model for model in registry()}
    for route, pattern in roles.patterns():
        if route.startswith("admin/") and pattern.name:
            yield roles._shown(route), _answer(pattern, models)


def registry() -> list[type]:
    list(roles.patterns())  # which loads the admin
    return list(admin.site._registry)


def _answer(pattern: URLPattern, models: dict[str, type]) -> tuple[str, ...] | str:
    name = str(pattern.name)
    if name in PAGES or name in EXCEPTED:
        return PAGES.get(name) or EXCEPTED[name]
    label, _, what = name.rpartition("_")
    label, what = (label.removesuffix("_simple"), what)
    if label in EXCEPTED:
        return EXCEPTED[label]
    if what == "history":
        return HISTORY
    model = models[label]
    record = next((one for one in RECORDS if one.model is model), None)
    if record is None:
        return ROWS[label] if what in ("changelist", "change") else "nobody may"
    one = f"{record.name}/<row_id>/"
    if record.takes is None and what in ("add", "delete"):
        return "nobody may"
    changes = (f"PATCH {one}",) if record.takes else ()
    below = BELOW.get(record.name, ())
    return {
        "changelist": (f"GET {record.name}/",),
        "add": (f"POST {record.name}/",),
        "change": (f"GET {one}", *changes, *(f"{method} {one}{name}/" for name in below for method in ("GET", "PUT"))),
        "delete": (f"DELETE {one}",),
    }[what]


DOCUMENT = ROOT / "docs" / "staff-api.md"
