"""Who may read the answers: the site's scripts, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.http import HttpResponse

from tests.support import api
from tests.support.commands import refusals, settings_with

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

STRANGER = "https://evil.example"
FOREIGN = (
    STRANGER,
    "null",
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://[",
)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_is_answered_without_leave_to_read(origin: str) -> None:
    too_long = {"CONTENT_LENGTH": "999999"}
    for response, status in (
        (api.get(api.SUPPORT, origin=origin), 200),
        (api.get("/api/nothing/", origin=origin), 404),
        (api.post(api.DRAFT, {}, origin=origin), 400),
        (api.request("PUT", api.DRAFT, origin=origin), 405),
        (api.request("POST", api.DRAFT, environ=too_long, origin=origin), 413),
    ):
        assert response.status_code == status
        api.check_headers(response, None)


def test_without_an_origin_caches_are_still_told_that_it_matters() -> None:
    for address in (*api.PINGS, api.SUPPORT, "/api/nothing/"):
        api.check_headers(api.get(address, origin=""), None)


def preflight(address: str, origin: str) -> HttpResponse:
    return api.request(
        "OPTIONS",
        address,
        origin=origin,
        access_control_request_method="POST",
        access_control_request_headers="content-type",
    )


@pytest.mark.parametrize("address", [*api.POSTS, "/api/nothing/", "/", "/api/send-email/"])
def test_a_preflight_lets_the_site_send_json(address: str) -> None:
    response = preflight(address, api.site())
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == api.site()
    assert response["Access-Control-Allow-Headers"].lower() == "content-type, idempotency-key"
    assert {part.strip() for part in response["Access-Control-Allow-Methods"].split(",")} == {"GET", "POST", "OPTIONS"}
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize("address", api.POSTS)
def test_a_preflight_lets_nobody_else(address: str) -> None:
    response = preflight(address, STRANGER)
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert "origin" in response["Vary"].lower()


def test_answers_are_kept_in_no_cache() -> None:
    for response in (api.get(api.SUPPORT), api.get("/api/nothing/"), api.post(api.DRAFT, b"")):
        assert response["Cache-Control"] == "no-store"


def test_a_correlation_id_is_taken_if_it_is_one_and_given_back() -> None:
    assert api.get(api.SUPPORT, x_correlation_id="abc-12345")["X-Correlation-ID"] == "abc-12345"
    for strange in ("short", "x" * 65, "asha@example.org", "a b c d e f g h"):
        assert api.get(api.SUPPORT, x_correlation_id=strange)["X-Correlation-ID"] != strange
    assert api.get(api.SUPPORT)["X-Correlation-ID"] != api.get(api.SUPPORT)["X-Correlation-ID"]


def test_an_origin_that_no_browser_sends_stops_the_start(tmp_path: Path) -> None:
    wrong = ("*", "https://www.example.org/", "https://www.example.org/site", "www.example.org")
    said = refusals(tmp_path, [("CORS_ORIGINS", f"https://ok.example.org,{origin}") for origin in wrong])
    for origin, sentence in zip(wrong, said, strict=True):
        assert f"CORS_ORIGINS: {origin!r}" in sentence


def test_the_origin_of_the_site_is_taken_from_its_address(tmp_path: Path) -> None:
    site = {"FRONTEND_URL": "https://www.Example.org/site/"}
    ours = {"PUBLIC_URL": "https://api.example.org", "FRONTEND_URL": "", "ALLOW_SANDBOX_PAYMENTS": "1"}
    given = [site, {**ours, "DEBUG": "1"}, {**ours, "DEBUG": "0"}]
    assert settings_with(tmp_path, given, "CORS_ALLOWED_ORIGINS") == [
        "['https://www.example.org']",
        "['https://api.example.org', 'http://localhost:3000']",
        "['https://api.example.org']",
    ]


def test_without_a_site_mails_lead_to_this_backend(tmp_path: Path) -> None:
    given = [{"PUBLIC_URL": "https://api.example.org", "FRONTEND_URL": ""}]
    assert settings_with(tmp_path, given, "FRONTEND_URL", "HAS_OTHER_SITE") == ["https://api.example.org False"]
