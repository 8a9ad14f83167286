"""Who may prove an address by GET: the site's own script, and neither scanner, nor prefetch, nor address bar."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.lifecycle import visitor
from backend.bookings.machine import State
from tests.support import api, scenarios

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SITE = "the site"  # replaced by its origin
STRANGER = "https://evil.example"
SCRIPT = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}

OPENS = {
    "a script of the site": {"origin": SITE, **SCRIPT},
    "an old browser that sends the origin alone": {"origin": SITE},
    "a script of the same host": {"origin": "", **SCRIPT, "sec_fetch_site": "same-origin"},
    "the same origin, mode same-origin": {
        "origin": "",
        "sec_fetch_site": "same-origin",
        "sec_fetch_mode": "same-origin",
    },
    "a purpose that is no prefetch": {"origin": SITE, **SCRIPT, "sec_purpose": "whatever"},
}
STAYS_SHUT = {
    "no header at all": {"origin": ""},
    "a foreign script": {"origin": STRANGER, **SCRIPT},
    "a foreign origin that begins like ours": {"origin": "http://localhost:3000.evil.example", **SCRIPT},
    "our host under another scheme": {"origin": "https://localhost:3000", **SCRIPT},
    "a sandboxed frame": {"origin": "null", **SCRIPT},
    "a script of a sibling host": {"origin": "", **SCRIPT, "sec_fetch_site": "same-site"},
    "the address bar": {
        "origin": "",
        "sec_fetch_site": "none",
        "sec_fetch_mode": "navigate",
        "sec_fetch_dest": "document",
    },
    "a link that was clicked": {"origin": "", **SCRIPT, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},
    "a navigation that sends our origin": {"origin": SITE, **SCRIPT, "sec_fetch_mode": "navigate"},
    "an image on the site": {"origin": SITE, **SCRIPT, "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
    "a frame on the site": {"origin": SITE, **SCRIPT, "sec_fetch_dest": "iframe"},
    "mode no-cors": {"origin": SITE, **SCRIPT, "sec_fetch_mode": "no-cors"},
    "a prefetch": {"origin": SITE, **SCRIPT, "sec_purpose": "prefetch"},
    "a prerender": {"origin": SITE, **SCRIPT, "sec_purpose": "prefetch;prerender"},
    "a prefetch in capitals": {"origin": SITE, **SCRIPT, "sec_purpose": "Prefetch"},
    "an old prefetch": {"origin": SITE, **SCRIPT, "purpose": "prefetch"},
    "a same-origin prefetch": {"origin": "", "sec_fetch_site": "same-origin", "sec_purpose": "prefetch"},
}


def headers_of(given: dict[str, str]) -> dict[str, str]:
    return {name: api.site() if value == SITE else value for name, value in given.items()}


@pytest.mark.parametrize("given", OPENS.values(), ids=OPENS)
def test_the_page_proves_the_address(given: dict[str, str], now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    headers = headers_of(given)
    body = api.done(
        api.get(api.VERIFY, {"token": scenarios.token_of(booking)}, **headers), to_site=headers["origin"] == api.site()
    )
    assert body["booking"]["status"] == State.PENDING
    assert scenarios.again(booking).verified_at == now


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("given", STAYS_SHUT.values(), ids=STAYS_SHUT)
def test_any_other_get_of_a_draft_changes_nothing(given: dict[str, str], method: str, now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    headers = headers_of(given)
    response = api.request(method, api.VERIFY, query={"token": scenarios.token_of(booking)}, **headers)
    assert response.status_code == 409
    if method == "GET":
        api.error(response, 409, "open_in_browser", to_site=headers["origin"] == api.site())
    assert scenarios.again(booking).state == State.DRAFT
    assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence


def test_head_from_the_page_changes_nothing(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    response = api.request("HEAD", api.VERIFY, query={"token": scenarios.token_of(booking)}, **SCRIPT)
    assert response.status_code == 409
    assert scenarios.again(booking).state == State.DRAFT


@pytest.mark.parametrize("given", STAYS_SHUT.values(), ids=STAYS_SHUT)
def test_any_get_of_a_later_state_shows_the_booking(given: dict[str, str], now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    token = scenarios.token_of(booking)
    visitor.verify_email(token, now=now)
    headers = headers_of(given)
    body = api.done(api.get(api.VERIFY, {"token": token}, **headers), to_site=headers["origin"] == api.site())
    assert body["booking"]["status"] == State.PENDING


@pytest.mark.parametrize("given", [{"origin": ""}, {"origin": STRANGER, **SCRIPT}])
def test_a_post_needs_no_gate(given: dict[str, str], now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    response = api.post(api.VERIFY, {"token": scenarios.token_of(booking)}, **given)
    assert api.done(response, to_site=False)["booking"]["status"] == State.PENDING
