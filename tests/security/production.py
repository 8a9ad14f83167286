"""pytest's plugin for the controls: production settings, whatever a test's mark, and none left out.

The browser of a test speaks as the proxy in front does, which ended TLS.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory

from tests.security.controls import WANTED

_passed: set[str] = set()


def pytest_configure() -> None:
    """Before any test is collected."""
    assert not settings.DEBUG
    assert settings.SESSION_COOKIE_NAME == "__Host-session"
    assert settings.SECURE_HSTS_SECONDS
    assert settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    RequestFactory._base_environ = _through_the_proxy(RequestFactory._base_environ)  # type: ignore[method-assign]


def _through_the_proxy(base: Any) -> Any:
    def environ(self: RequestFactory, **request: Any) -> dict[str, Any]:
        made: dict[str, Any] = base(self, **request)
        made.setdefault("HTTP_X_FORWARDED_PROTO", "https")
        made.setdefault("HTTP_X_FORWARDED_FOR", made["REMOTE_ADDR"])
        return made

    return environ


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what passed; of a parametrised test one case that failed is a failure anyway."""
    if report.when == "call" and report.passed:
        _passed.add(report.nodeid.partition("[")[0])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A control whose test was skipped or deselected is not shown."""
    if hasattr(session.config, "workerinput"):
        return
    missing = sorted(set(os.environ[WANTED].split("\n")) - _passed)
    if missing:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nNot shown:", *missing, sep="\n  ")  # noqa: T201 -- pytest's own output
