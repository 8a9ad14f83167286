"""The staff API as a client of the practice uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.http import HttpResponse

from backend.accounts import tokens
from backend.accounts.scopes import Wide
from backend.bookings.models import Booking
from tests.support import api, scenarios

STAFF = "/api/staff/"
BOOKINGS = f"{STAFF}bookings/"
LOGIN, LOGOUT, LOGOUT_ALL = f"{STAFF}login/", f"{STAFF}logout/", f"{STAFF}logoutall/"
LISTS = {f"{STAFF}{name}/": name for name in ("psychologists", "locations", "corporates")}
PASSWORD = " correct horse "  # blanks at its ends are part of it
VIEW, CHANGE = "view_booking", "change_booking"
EVERY_WORD = ("view_phone_number", "view_user_message")
# what a list says of a booking
SUMMARY = {
    *("acknowledgement_id", "status", "reason", "origin", "is_priority", "created_at", "due_at", "pay_by", "closed_at"),
    *(
        "cancellation_requested_at",
        "choose_by",
        "full_name",
        "email",
        "phone_number",
        "is_minor",
        "preferred_date",
        "corporate",
    ),
    *("preferred_period", "preferred_time_start", "preferred_time_end", "mode", "payment_mode", "psychologist"),
    *("slot_start", "slot_end", "amount", "outcome", "follows", "preferred_psychologist", "preferred_slot_start"),
}


def account(username: str = "desk", *permissions: str, **fields: Any) -> User:
    """Somebody of the practice, with these permissions. A password costs time on purpose: give it where it counts."""
    user = User.objects.create_user(username, **{"is_staff": True, **fields})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@dataclass
class Desk:
    """Somebody who is logged in."""

    user: User
    token: str

    def get(self, path: str = "", query: dict[str, str] | None = None, **headers: str) -> HttpResponse:
        return self.send("GET", path, query=query, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, data={} if data is None else data, **headers)

    def send(self, method: str, path: str, **options: Any) -> HttpResponse:
        """`path` continues the address of the bookings, unless it is absolute."""
        path = path if path.startswith("/") else f"{BOOKINGS}{path}"
        return api.request(method, path, **{"authorization": f"Token {self.token}", **options})

    def act(self, booking: Booking, action: str, data: Any = None) -> HttpResponse:
        return self.post(f"{booking.acknowledgement_id}/{action}/", data)


def token(user: User, scope: str = Wide.ACT) -> str:
    """Of a program of theirs."""
    return tokens.make(user, name="tests", scope=scope, lifetime=timedelta(hours=12))[1]


def desk(*permissions: str, username: str = "desk") -> Desk:
    """A desk with these permissions; all that the API asks for if none are named."""
    user = account(username, *(permissions or (VIEW, CHANGE, *EVERY_WORD)))
    return Desk(user, token(user))


def at(moment: datetime) -> str:
    return moment.isoformat()


def approval(now: datetime, **changes: Any) -> dict[str, Any]:
    """What staff send to approve."""
    who = changes.pop("who", None) or scenarios.psychologist()
    return {"psychologist_id": who.pk, "slot_start": at(scenarios.slot_tomorrow(now)), **changes}


def valid_bodies(psychologist_id: int, now: datetime) -> dict[str, dict[str, Any]]:
    """For each action a body that can be read."""
    return {
        "approve": {"psychologist_id": psychologist_id, "slot_start": at(now + timedelta(days=3))},
        "reject": {},
        "cancel": {},
        "reschedule": {"slot_start": at(now + timedelta(days=4))},
        "offer-choice": {},
        "desk-payment": {},
        "sponsor": {"corporate_id": 1},
        "refund": {},
        "refund-made": {"refund_reference": "REF-1"},
        "outcome": {"outcome": "attended"},
    }


ACTIONS = tuple(valid_bodies(1, datetime.min))
