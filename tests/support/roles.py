"""Accounts of each role, and every address they could try, with rows to try it on."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver
from django_celery_beat import models as beat

from backend.accounts.roles import OWNER, Role
from backend.audit.models import AccessRecord
from backend.bookings.models import Booking, ClosedDay, DataRequest
from backend.ops.models import Act, Process, TimerRun
from backend.outbox.models import Message
from backend.payments.models import InboxEvent, Payment, Receipt, Refund
from backend.people.models import Corporate, Enquiry, Language, Location, Psychologist, Specialization
from backend.webhooks import subscriptions
from backend.webhooks.models import Delivery
from tests.support import api, scenarios, staff_api, whole_table
from tests.support.admin_site import logged_in

MIGRATION = importlib.import_module("backend.people.migrations.0002_groups_of_roles")
GRANTS = {role: set(labels) for role, labels in MIGRATION.GRANTS.items()}
COLUMNS = (OWNER, *Role)
SECRET = "I hear <b>voices</b> at night."


def account(role: str, username: str = "", *, who: Psychologist | None = None) -> User:
    """Somebody of this role; of `who` it is the account."""
    ensure_groups()
    name = username or role.lower().replace(" ", "-")
    if role == OWNER:
        return User.objects.create_superuser(name)
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    if who is not None:
        who.user = user
        who.save()
    return user


def ensure_groups() -> None:
    """A test with real transactions before this one may have flushed what the migration made."""
    if not Group.objects.exists():
        MIGRATION.make_groups(apps)


@dataclass(frozen=True)
class World:
    """Rows of every kind, and bookings that stand differently to the psychologist `mine`."""

    mine: Psychologist
    bookings: dict[str, Booking]  # by what they are to `mine`
    psychologists: dict[str, Psychologist]


def world(now: datetime) -> World:
    ensure_groups()
    mine, other = scenarios.psychologist("Dr. Mine"), scenarios.psychologist("Dr. Other", email="other@example.org")
    telling = {"now": now, "user_message": SECRET}
    bookings = {
        "own": scenarios.confirmed("own@example.org", who=mine, **telling),
        "unassigned": scenarios.pending("new@example.org", **telling),
        "others'": scenarios.confirmed("other@example.org", who=other, **telling),
    }
    payment = Payment.objects.filter(booking=bookings["own"]).get()
    Refund.objects.create(payment=payment, reference="R", amount_paise=1, reason="x", actor="x", queued_at=now)
    asked = {"kind": "erasure", "state": "done", "asked_at": now, "deadline": now, "closed_at": now}
    DataRequest.objects.create(booking=bookings["own"], **asked)
    AccessRecord.objects.create(actor="staff:x", at=now, kind="revealed")
    InboxEvent.objects.create(gateway="sandbox", event_id="e", received_at=now)
    Corporate.objects.create(name="Acme")
    Location.objects.create(name="Rooms", address="1 Road")
    Language.objects.create(name="Marathi")
    Specialization.objects.create(name="Grief")
    ClosedDay.objects.create(weekday=6)
    Enquiry.objects.create(subject="Workshop", text="For twenty.", received_at=now)
    Process.objects.create(name="mail", role="mail", seen_at=now)
    TimerRun.objects.create(timer="lapse_drafts", started_at=now)
    told, _ = subscriptions.subscribe(name="x", address="x", events=[], by="x", now=now)
    Delivery.objects.create(subscription=told, message=Message.objects.earliest("pk"), at=now, milliseconds=1)
    Act.objects.create(at=now, actor="x", verb="pause", subject="mail", reason="x")
    _others()
    return World(mine, bookings, {"own": mine, "others'": other})


def _others() -> None:
    """Rows of the admin's pages that are not ours."""
    every = beat.IntervalSchedule.objects.create(every=1, period="days")
    beat.PeriodicTask.objects.create(name="x", task="workers.timers.lapse_drafts", interval=every)
    beat.CrontabSchedule.objects.create()
    beat.ClockedSchedule.objects.create(clocked_time="2026-11-23T00:00:00Z")
    beat.SolarSchedule.objects.create(event="sunset", latitude=1, longitude=1)
    User.objects.create_superuser("somebody")


# -- the addresses -----------------------------------------------------------------------------------------------------


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address that this backend answers, as it is written in the code."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLPattern):
            yield route, entry
        else:
            yield from patterns(entry, route)


def admin_rows(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """Each page of the admin as the table names it, and the addresses on which it is tried, by whose they are.

    Left out: what has no name of its own, which leads on to a page that has one.
    """
    found = {model._meta.label_lower.replace(".", "_"): model for model in admin.site._registry}
    for route, pattern in patterns():
        if not route.startswith("admin/") or pattern.name is None:
            continue
        if pattern.name == "app_list":
            for label in sorted({model._meta.app_label for model in found.values()}):
                yield f"admin/{label}/", {"": f"/admin/{label}/"}
            continue
        model = next((found[name] for name in found if pattern.name.startswith(f"{name}_")), None)
        yield _shown(route), {whose: _filled(route, row) for whose, row in _targets(world, model, route).items()}


def _targets(world: World, model: type[models.Model] | None, route: str) -> dict[str, models.Model | None]:
    if not re.search(r"[<(]", route) or model is None:
        return {"": None}
    if model is Booking:
        return dict(world.bookings)
    if model is Psychologist:
        return dict(world.psychologists)
    row = model._default_manager.first()
    assert row is not None, f"tests/support/roles.py makes no {model.__name__}"
    return {"": row}


def _filled(route: str, row: models.Model | None) -> str:
    fixed = {
        "queues/<slug:name>": "queues/mail",
        "timers/<slug:name>": "timers/lapse_drafts",
        "many/<slug:what>": "many/approve",
        "<int:account_id>": str(User.objects.get(username="somebody").pk),
    }
    if isinstance(row, Booking):
        receipt = Receipt.objects.filter(payment__booking=row).first()
        fixed["<int:receipt_id>"] = str(receipt.pk if receipt else 0)
    for pattern, text in fixed.items():
        route = route.replace(pattern, text)
    if row is not None and "simple_history" not in route and "^([^/]+)/history" in route:
        route = route.replace("^([^/]+)/history/([^/]+)/$", f"{row.pk}/history/{row.history.first().pk}/")
    content_type = ContentType.objects.get_for_model(Booking).pk
    route = route.replace("<path:content_type_id>", str(content_type)).replace("<path:object_id>", str(row and row.pk))
    return "/" + re.sub(r"<[^>]+>", str(row and row.pk), route)


def _shown(route: str) -> str:
    """Without converters and expressions: `admin/ops/act/queues/<name>/`."""
    return re.sub(
        r"<\w+:(\w+)>", r"<\1>", route.replace("^([^/]+)/history/([^/]+)/$", "<object_id>/history/<version>/")
    )


def api_rows(world: World) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each operation of the staff API: its name in the table, its method and the addresses on which it is tried."""
    for route, pattern in patterns():
        if not route.startswith("api/staff/"):
            continue
        view = pattern.callback.view_class  # type: ignore[union-attr]
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method):
                tried = {whose: _api_url(route, row) for whose, row in _api_keys(world, view, route).items()}
                yield f"{method.upper()} {_shown(route)}", method.upper(), tried


def _api_keys(world: World, view: Any, route: str) -> dict[str, models.Model | None]:
    """Whose rows the address can name: bookings by their id, others by their number."""
    if "<str:acknowledgement_id>" in route:
        return dict(world.bookings)
    record = getattr(view, "record", None)
    return _targets(world, getattr(view, "model", None) or (record and record.model), route)


def _api_url(route: str, row: models.Model | None) -> str:
    fixed = {"<slug:queue>": "mail", "<slug:timer>": "lapse_drafts"}
    for pattern, text in fixed.items():
        route = route.replace(pattern, text)
    return "/" + re.sub(r"<[^>]+>", str(row if isinstance(row, Booking) else row and row.pk), route)


def public_rows() -> list[str]:
    """What is asked without an account."""
    return [route for route, _ in patterns() if not route.startswith(("admin/", "api/staff/"))]


# -- what they meet ----------------------------------------------------------------------------------------------------


def column(role: str, now: datetime, *, parts: int = 1) -> dict[str, str]:
    """What somebody of this role meets at each address, or at one of so many parts: `yes`, whose rows alone, or `–`.

    Whether a page opens is decided before it is drawn, so that they are drawn for the owner alone.
    """
    at = COLUMNS.index(role)
    made = world(now)
    user = account(role, who=made.mine)
    browser, token = logged_in(user), staff_api.token(user)
    with nullcontext() if role == OWNER else undrawn():
        cells = {
            name: _cell({whose: _opens(browser, url) for whose, url in tried.items()})
            for name, tried in whole_table.part(list(admin_rows(made)), at, parts)
        }
    for name, method, tried in whole_table.part(list(api_rows(made)), at, parts):
        cells[name] = _cell({whose: _answers(token, method, url) for whose, url in tried.items()})
    return cells


@contextmanager
def undrawn() -> Iterator[None]:
    """Pages are answered without their text."""
    with patch.object(SimpleTemplateResponse, "rendered_content", ""):
        yield


def _cell(met: dict[str, bool]) -> str:
    if all(met.values()):
        return "yes"
    return ", ".join(whose for whose, is_open in met.items() if is_open) or "–"


def _opens(browser: Browser, url: str) -> bool:
    """Looking changes nothing, save the session of who logs out."""
    with transaction.atomic():
        answer = browser.get(url)
        transaction.set_rollback(True)
    # 400 asks for what is missing, 410 for another link
    assert answer.status_code in (200, 302, 400, 404, 405, 410), (url, answer.status_code)
    _assert_private(url, answer)
    return answer.status_code != 404


def _assert_private(url: str, answer: HttpResponse) -> None:
    """Kept by no cache, and told to no other host; forms of the desk need their own origin told to ourselves."""
    if answer.status_code != 200 or url == "/admin/jsi18n/":
        return
    is_page = answer["Content-Type"].startswith("text/html")
    expected = "same-origin" if is_page and url.startswith("/admin/") else "no-referrer"
    assert "no-store" in answer.get("Cache-Control", ""), url
    assert answer.get("Referrer-Policy") == expected, url


def _answers(token: str, method: str, url: str) -> bool:
    with transaction.atomic():
        answer = api.request(method, url, data=None if method == "GET" else {}, authorization=f"Token {token}")
        transaction.set_rollback(True)
    assert answer.status_code != 403, url
    _assert_private(url, answer)
    return answer.status_code != 404


WORDS = ("telephone number", *(f"message of {whose} booking" for whose in ("own", "unassigned", "others'")))


def words(role: str, now: datetime) -> dict[str, str]:
    """What of a booking somebody of this role reads on its page."""
    made = world(now)
    browser = logged_in(account(role, who=made.mine))
    urls = {whose: f"/admin/bookings/booking/{row.pk}/" for whose, row in made.bookings.items()}
    pages = {whose: browser.get(f"{url}change/").content.decode() for whose, url in urls.items()}
    reads = {f"message of {whose} booking": "yes" if "voices" in page else "–" for whose, page in pages.items()}
    seen = "yes" if any("9876543210" in page for page in pages.values()) else "–"
    if seen == "–" and any("•210" in page for page in pages.values()):
        seen = "masked"
        if any("9876543210" in browser.post(f"{url}reveal-phone/").content.decode() for url in urls.values()):
            seen = "masked; shown at a recorded click"
    return {"telephone number": seen, **reads}
