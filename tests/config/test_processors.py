"""docs/privacy.md names everybody whom the code talks to: by setting, provider, host, and the module that calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import mail
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
TABLE = (ROOT / "docs" / "privacy.md").read_text().partition("## Who works for us")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`([^`]+)`", TABLE))
SETTINGS = "\n".join(path.read_text() for path in sorted((ROOT / "config" / "settings").glob("*.py")))
SHIPPED = sorted(path for folder in ("backend", "workers", "config") for path in (ROOT / folder).rglob("*.py"))
CLIENTS = (  # what opens a connection to elsewhere
    *("anymail", "boto3", "botocore", "http.client", "httpx", "redis", "requests", "sentry_sdk", "smtplib"),
    *("dns", "psycopg", "urllib.request", "urllib3", "websocket", "aiohttp", "ftplib", "telnetlib"),
)
# this backend, its site, an address that is listened at, and one that is told nothing
OURS = {"FRONTEND_URL", "PUBLIC_URL", "FLOWER_ADDRESS", "QUICK_EXIT_URL"}
LOCAL_TOOLS = "config/local/"  # start servers of this machine
KNOWN = {"localhost", "127.0.0.1"}


def settings_that_lead_outside(source: str) -> set[str]:
    """The variables that hold an address: `env.url`, `env.host`, and texts that are called URL."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {(ast.unparse(call.func), ast.literal_eval(call.args[0])) for call in calls if _is_setting(call)}
    return {name for how, name in names if how in ("env.url", "env.host") or name.endswith("_URL")} - OURS


def _is_setting(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith("env.") and bool(call.args) and isinstance(call.args[0], ast.Constant)


def gateways(source: str) -> set[str]:
    """What PAYMENT_GATEWAY may be."""
    (options,) = re.findall(r'"PAYMENT_GATEWAY",.*?\(([^()]*)\)', source, re.DOTALL)
    return set(re.findall(r'"(\w+)"', options)) - {"none"}


def hosts_called(source: str) -> Iterator[str]:
    """The hosts of addresses in strings, save those of docstrings and of examples of settings."""
    tree = ast.parse(source)
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said |= {node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "example"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield from re.findall(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)+)", node.value)


def clients_of(source: str) -> set[str]:
    """The libraries it imports that open connections."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if any(name == one or name.startswith(f"{one}.") for one in CLIENTS)}


def path_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_setting_that_leads_outside_is_listed() -> None:
    found = settings_that_lead_outside(SETTINGS)
    assert {"DATABASE_URL", "EMAIL_HOST", "SENTRY_DSN", "PING_URL"} <= found
    assert found - NAMED == set()


def test_every_provider_on_offer_is_listed() -> None:
    offered = set(mail.PROVIDERS) | gateways(SETTINGS)
    assert "sandbox" in offered
    assert offered - NAMED == set()


def test_every_host_in_the_code_is_listed() -> None:
    found = {host for path in SHIPPED for host in hosts_called(path.read_text())}
    found = {host for host in found if host not in KNOWN and not re.search(r"(^|\.)example\.(org|com)$", host)}
    assert "calendar.google.com" in found
    assert found - NAMED == set()


def test_every_module_that_opens_a_connection_is_listed() -> None:
    found = {path_of(path) for path in SHIPPED if clients_of(path.read_text())}
    assert {path for path in found if not path.startswith(LOCAL_TOOLS)} - NAMED == set()


def test_what_is_listed_exists() -> None:
    assert [name for name in NAMED if name.endswith(".py") and not (ROOT / name).exists()] == []


def test_what_is_not_listed_is_found() -> None:
    assert settings_that_lead_outside('env.url("WHATSAPP_URL", "messages")') == {"WHATSAPP_URL"}
    assert list(hosts_called('"""https://docs.example.net"""\nsend("https://api.example.net/v1")')) == [
        "api.example.net"
    ]
    assert clients_of("import requests\nfrom urllib.request import urlopen\nfrom urllib.parse import quote") == {
        "requests",
        "urllib.request",
    }
