"""Django's checks of what is loaded late: they still look at it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.contrib import admin
from django.core import checks

from backend.bookings.models import Booking
from workers.database import KeptConnection

pytestmark = pytest.mark.sqlite_only


def found(*tags: str) -> set[str | None]:
    return {message.id for message in checks.run_checks(tags=tags or None)}


def test_a_broken_page_of_the_admin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("backend.core.apps.autodiscover", lambda: loaded.append("all pages"))
    monkeypatch.setattr(type(admin.site._registry[Booking]), "list_display", ("nothing_of_ours",))
    assert "admin.E108" in found(checks.Tags.admin)
    assert loaded == ["all pages"]


def test_the_libraries_of_mail_and_passkeys_check_their_settings(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_AUTHORIZATION": "x"}
    settings.OTP_WEBAUTHN_RP_ID = ""
    every = {message.id for message in checks.run_checks(tags=None)}
    assert {"anymail.E001", "otp_webauthn.E010"} <= every


def test_a_library_that_is_loaded_late_and_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "core.E001" not in found()
    monkeypatch.setitem(sys.modules, "segno", None)
    assert "core.E001" in found()


def test_a_worker_checks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "run_checks", lambda **_how: pytest.fail("it checks"))
    KeptConnection.validate_models(KeptConnection.__new__(KeptConnection))
