"""The API as the site's scripts see it, and what must be true of every answer."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

DRAFT = "/api/bookings/draft/"
VERIFY = "/api/bookings/verify-email/"
STATUS = "/api/bookings/check-status/"
INITIATE = "/api/bookings/initiate-payment/"
COMPLETE = "/api/bookings/complete-payment/"
ASK_TO_CANCEL = "/api/bookings/request-cancellation/"
VERIFY_CANCEL = "/api/bookings/verify-cancellation/"
MOVE = "/api/bookings/move/"
SEND_EMAIL = "/api/send-email/"
HOOK = "/api/hooks/payments/sandbox/"
SUPPORT = "/api/support/"
PINGS = ("/", "/api/", "/api/health/", "/api/ping/")
POSTS = (DRAFT, VERIFY, STATUS, INITIATE, COMPLETE, ASK_TO_CANCEL, VERIFY_CANCEL, MOVE, SEND_EMAIL)
STATUS_FIELDS = {
    *("acknowledgement_id", "status", "preferred_date", "preferred_period", "preferred_time_start"),
    *("preferred_time_end", "mode", "approved_slot_start", "approved_slot_end", "amount", "timeline", "created_at"),
    *("state_reason", "deadline", "next_step_code", "allowed_actions"),
    *("due_at", "next_step", "payment_status", "amount_paid", "amount_left", "support"),
}
DETAIL_FIELDS = {*STATUS_FIELDS, "history", "payment_mode", "meeting_link", "address", "psychologist"}
EXPOSED = {"Retry-After", "ETag", "X-Correlation-ID"}


def site() -> str:
    """The origin of the site's scripts."""
    return settings.CORS_ALLOWED_ORIGINS[0]


def get(path: str, query: dict[str, str] | None = None, **headers: str) -> HttpResponse:
    """As the site's page asks. A header given as "" is not sent; names as in `sec_fetch_site`."""
    return request("GET", path, query=query, **headers)


def post(path: str, data: Any, **headers: str) -> HttpResponse:
    """As the site's page sends JSON; bytes are sent as they are."""
    return request("POST", path, data=data, **headers)


def request(
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    data: Any = b"",
    content_type: str = "application/json",
    environ: dict[str, Any] | None = None,
    **headers: str,
) -> HttpResponse:
    """Any request, from the site's origin unless `origin` says otherwise; a crash is answered, as in production."""
    given = {name.replace("_", "-"): value for name, value in {"origin": site(), **headers}.items() if value}
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    client = Client(raise_request_exception=False)
    return client.generic(
        method, path, body, content_type=content_type, query_params=query, headers=given, **(environ or {})
    )


def error(response: HttpResponse, status: int, code: str, *, to_site: bool = True) -> dict[str, Any]:
    """The body of an error, once everything that holds of every error was checked."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert isinstance(body, dict)
    assert isinstance(body["detail"], str)
    assert len(body["detail"]) > 10
    assert body["code"] == code
    assert re.fullmatch(r"[a-z_]+", code)
    check_headers(response, site() if to_site else None)
    return body


def done(response: HttpResponse, status: int = 200, *, to_site: bool = True) -> dict[str, Any]:
    """The body of a success, never empty, once its headers were checked."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    body = json.loads(response.content)
    assert isinstance(body, dict)
    assert body
    check_headers(response, site() if to_site else None)
    return body


def shown(response: HttpResponse) -> str:
    """The whole answer, status and headers included, save the correlation id, which differs in every answer."""
    return f"{response.status_code} {response.serialize()}".replace(response["X-Correlation-ID"], "")


def check_headers(response: HttpResponse, origin: str | None) -> None:
    """CORS as promised: this origin or none, never `*`, never credentials, `Vary: Origin` always. And who asked."""
    assert response.headers.get("Access-Control-Allow-Origin") == origin
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "origin" in [part.strip().lower() for part in response["Vary"].split(",")]
    exposed = response.headers.get("Access-Control-Expose-Headers", "")
    assert {part.strip() for part in exposed.split(",") if part} == (EXPOSED if origin else set())
    assert "Set-Cookie" not in response.headers
    assert not response.cookies
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", response["X-Correlation-ID"])


def form(now: datetime, **changes: Any) -> dict[str, Any]:
    """The site's form, filled in."""
    return {
        "email": "asha@example.org",
        "full_name": "Asha Rao",
        "phone_number": "9876543210",
        "city": "Pune",
        "state": "NA",
        "country": "India",
        "age": 31,
        "gender": "FEMALE",
        "emergency_contact": "Vikram Rao 9876500000",
        "consent_given": True,
        "preferred_date": (now + timedelta(days=3)).date().isoformat(),
        "preferred_period": "MORNING",
        "mode": "ONLINE",
        "payment_mode": "ONLINE",
        **changes,
    }
