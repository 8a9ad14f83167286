"""The error shape on every path under /api/, whatever was asked for and whatever broke, and one line in the log."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core.errors import Permanent, Transient
from tests.support import api, log_lines
from tests.support.server import ROOT


@pytest.fixture(params=[False, True], ids=["debug off", "debug on"])
def _debug(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.DEBUG = request.param


pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("_debug")]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "address",
    [
        *("/api", "/api/nothing/", "/api/bookings/", "/api//", "/api/bookings/draft", "/api/bookings/draft//"),
        *("/api/bookings/check-status", "/api/%00/", "/api/%ff%fe/", "/api/%E4%BD%A0/", "/api/%2e%2e/admin/"),
        *("/api/../", "/api/admin", "/api/hooks/payments/", "/api/hooks/payments/sandbox"),
    ],
)
def test_an_unknown_address_is_404_and_never_a_redirect(address: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        body = api.error(api.request(method, address), 404, "not_found")
        assert ("has_booking" in body) == (method == "POST" and "check-status" in address)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_a_wrong_method_is_405_and_says_which_are_allowed(method: str) -> None:
    for address in (*api.POSTS, *api.PINGS, api.SUPPORT, api.HOOK):
        response = api.request(method, address)
        api.error(response, 405, "method_not_allowed")
        assert "OPTIONS" in response["Allow"]
        assert method not in response["Allow"]


def test_what_acts_does_not_answer_get_and_what_reads_does_not_answer_post() -> None:
    for address in (api.DRAFT, api.INITIATE, api.COMPLETE, api.HOOK):
        response = api.get(address)
        api.error(response, 405, "method_not_allowed")
        assert response["Allow"] == "POST, OPTIONS"
    for address in (*api.PINGS, api.SUPPORT):
        response = api.post(address, {})
        api.error(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.sqlite_only
@pytest.mark.parametrize("host", ["evil.example", "localhost:port", "a_b", "[::1", "local host", "\xff"])
def test_a_host_that_is_not_ours_is_400(host: str) -> None:
    for address in ("/api/ping/", api.SUPPORT, api.STATUS, "/api/nothing/"):
        api.error(api.request("GET", address, environ={"HTTP_HOST": host}), 400, "malformed")


def test_where_https_is_asked_for_nothing_redirects_and_pings_are_answered(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for address in (*api.POSTS, api.SUPPORT, "/api/nothing/"):
        api.error(api.post(address, {}), 403, "https_required")
    for address in api.PINGS:
        api.done(api.get(address))


# -- what breaks ------------------------------------------------------------------------------------------------------


class Crash(APIView):
    """Raises what it is asked to."""

    kinds = {
        "bug": ZeroDivisionError,
        "database": OperationalError,
        "silent": Transient,
        "refusing": Permanent,
        "missing": Http404,
        "forbidden": PermissionDenied,
    }

    def get(self, request: Request) -> Response:
        raise self.kinds[request.query_params["what"]]("its reason")

    def post(self, request: Request) -> Response:
        raise self.kinds[request.data["what"]]("its reason")


class Unsendable(APIView):
    """Answers what cannot be written; Django's DEBUG page about it cannot be written either."""

    def get(self, _request: Request) -> Response:
        return Response({"message": "\ud800"})


def plain_crash(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def plain_refusal(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Teapot</h1>", status=418)


@require_POST
def plain_post(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("api/crash/", Crash.as_view()),
    path("api/bookings/check-status/", Crash.as_view()),
    path("api/unsendable/", Unsendable.as_view()),
    path("api/plain/", plain_crash),
    path("api/teapot/", plain_refusal),
    path("api/plain-post/", plain_post),
    path("", include("config.urls")),
]
CRASHES = ("/api/crash/?what=bug", "/api/plain/", "/api/unsendable/")


@pytest.mark.urls(__name__)
def test_a_crash_is_500_and_tells_nothing() -> None:
    for response in (*map(api.get, CRASHES), api.post("/api/crash/", {"what": "bug"})):
        assert set(api.error(response, 500, "error")) == {"detail", "code"}
    assert api.error(api.post(api.STATUS, {"what": "bug"}), 500, "error")["has_booking"] is False


@pytest.mark.urls(__name__)
def test_what_breaks_outside_is_503() -> None:
    api.error(api.get("/api/crash/", {"what": "database"}), 503, "unavailable")
    assert api.error(api.post(api.STATUS, {"what": "database"}), 503, "unavailable")["has_booking"] is False
    for what in ("silent", "refusing"):
        body = api.error(api.get("/api/crash/", {"what": what}), 503, "payments_unavailable")
        assert "do not pay again" in body["detail"]


@pytest.mark.urls(__name__)
def test_errors_of_any_other_origin_take_the_shape() -> None:
    api.error(api.get("/api/crash/", {"what": "missing"}), 404, "not_found")
    api.error(api.get("/api/crash/", {"what": "forbidden"}), 403, "forbidden")
    api.error(api.get("/api/teapot/"), 418, "error")
    response = api.get("/api/plain-post/")
    api.error(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


def test_a_database_that_is_not_there_is_503(tmp_path: Path) -> None:
    """In a process of its own, whose database file is a folder."""
    (tmp_path / "db.sqlite3").mkdir()
    environment = {**os.environ, "ENV_FILE": os.devnull, "DATABASE_URL": "", "VAR_DIR": str(tmp_path)}
    environment |= {"DEBUG": "1" if configured.DEBUG else "0", "SANDBOX_SECRET": "junk", "ALLOWED_HOSTS": "testserver"}
    ended = subprocess.run(
        [sys.executable, "-c", ASK_WITHOUT_A_DATABASE], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    answers = json.loads(ended.stdout)
    assert answers == [[503, "application/json", "unavailable"]] * 4 + [[200, "application/json", None]]


ASK_WITHOUT_A_DATABASE = """
import django, json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from django.utils import timezone
from tests.support import api
answers = [
    api.get(api.STATUS, {"acknowledgement_id": "MS-000000"}),
    api.post(api.DRAFT, api.form(timezone.now())),
    api.post(api.VERIFY, {"token": "x"}),
    api.post(api.INITIATE, {"acknowledgement_id": "MS-000000"}),
    api.get("/api/ping/"),
]
print(json.dumps([(answer.status_code, answer["Content-Type"], answer.json().get("code")) for answer in answers]))
"""


# -- the log ----------------------------------------------------------------------------------------------------------


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines about the last request."""
    lines = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return lines


def test_each_refusal_is_one_line_with_its_code_and_nothing_personal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    api.get(api.STATUS, {"acknowledgement_id": "MS-000000"})
    assert logged(caplog) == ["refused booking_unknown 404 GET api/bookings/check-status/"]
    api.get(api.VERIFY, {"token": "token-of-asha"})
    assert logged(caplog) == ["refused link_unknown 404 GET api/bookings/verify-email/"]
    api.post(api.DRAFT, {"email": "asha@", "phone_number": "987"})
    assert logged(caplog) == ["refused invalid 400 POST api/bookings/draft/"]
    api.post(api.DRAFT, b"asha")
    assert logged(caplog) == ["refused malformed 400 POST api/bookings/draft/"]
    api.get("/api/asha@example.org/9876543210/")
    assert logged(caplog) == ["refused not_found 404 GET -"]
    api.request("PUT", api.DRAFT)
    assert logged(caplog) == ["refused method_not_allowed 405 PUT api/bookings/draft/"]
    api.request("POST", api.DRAFT, environ={"CONTENT_LENGTH": "999999"})
    assert logged(caplog) == ["refused too_large 413 POST -"]
    api.request("GET", api.SUPPORT, environ={"HTTP_HOST": "evil.example"})
    assert logged(caplog) == ["refused malformed 400 GET -"]


@pytest.mark.urls(__name__)
def test_what_breaks_outside_is_one_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    api.get("/api/crash/", {"what": "silent"})
    assert logged(caplog) == ["refused payments_unavailable 503 GET api/crash/ its reason"]
    api.get("/api/crash/", {"what": "database"})
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info


@pytest.mark.urls(__name__)
def test_a_crash_is_logged_with_its_traceback_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for address in CRASHES:
        api.get(address)
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert record.exc_info
        caplog.clear()


def test_every_line_carries_the_id_that_the_answer_gives() -> None:
    with log_lines.collected() as lines:
        response = api.get(api.STATUS, {"acknowledgement_id": "MS-000000"})
    assert [line["correlation_id"] for line in lines.parsed()] == [response["X-Correlation-ID"]]
