"""The examples of docs/examples/, as far as they can be seen without Node and without the generated clients."""

from __future__ import annotations

import ast
import json
import re
import runpy
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backend.api import schema
from backend.bookings.models import Booking
from backend.people.privacy_notice import IN_FORCE
from tests.clients import generation
from tests.support import api, scenarios, working_hours

pytestmark = [pytest.mark.sqlite_only]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TALK = ["book", "online", "more", "2", "asha@example.org", "Asha Rao", "9876543210", "Pune", "thirty one", "female"]
TALK += ["Vikram Rao", "no", "offline", "31", "yes", "status", "MS-000000", "bye"]


class Through:
    """The chatbot's way to the API, without a network."""

    def get(self, path: str, **query: str) -> tuple[int, Any]:
        response = api.get(f"/api/{path}", query)
        return response.status_code, json.loads(response.content)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        response = api.post(f"/api/{path}", body)
        return response.status_code, json.loads(response.content)


def talk(answers: list[str]) -> list[str]:
    """What the chatbot says to these."""
    said: list[str] = []
    lines = iter(answers)

    def ask(question: str) -> str:
        said.append(question)
        return next(lines)

    runpy.run_path(str(EXAMPLES / "chatbot.py"))["Chat"](Through(), ask, said.append).run()
    return said


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
def test_the_chatbot_asks_until_the_practice_has_all_and_explains_a_status(now: datetime) -> None:
    working_hours.psychologist()
    said = talk(TALK)
    booking = Booking.objects.get()
    assert booking.preferred_slot_start is not None
    assert (booking.full_name, booking.age, booking.payment_mode) == ("Asha Rao", 31, "OFFLINE")
    assert booking.notice_version == IN_FORCE.version
    assert said.count("Please enter an age in years, at most 120.") == 2
    assert sum("We need your consent" in text for text in said) == 2
    assert "Check your email: open the link in it to send us your request." in said
    approved = scenarios.approved(now=now, email="ravi@example.org")
    said = talk(["status", approved.acknowledgement_id, "bye"])
    assert any(text.startswith("Please pay by ") for text in said)
    assert any(text.startswith("Possible now: pay, until ") for text in said)


def test_they_ask_for_what_there_is() -> None:
    public = schema.part(is_staffs=False)
    operations = {method["operationId"] for methods in public["paths"].values() for method in methods.values()}
    names = dict(imported(ast.parse((EXAMPLES / "python" / "book.py").read_text())))
    assert names["models"] <= public["components"]["schemas"].keys()
    assert names["api"] <= operations
    assert len(names["api"]) >= 10
    for name, described in (("book", public), ("staff", schema.part(is_staffs=True))):
        script = (EXAMPLES / "typescript" / f"{name}.ts").read_text()
        addresses = set(re.findall(r'"(/api/[^"]*)"', script))
        assert addresses, name
        assert addresses <= described["paths"].keys()
        assert set(re.findall(r'Shapes\["(\w+)"\]', script)) <= described["components"]["schemas"].keys()


def imported(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Of the generated client: its operations and its shapes."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    for part in ("api", "models"):
        ours = [node for node in imports if str(node.module).startswith(f"mindsettler.{part}")]
        yield part, {alias.name for node in ours for alias in node.names}


def test_all_of_them_are_programs_and_their_packages_are_pinned() -> None:
    for path in EXAMPLES.rglob("*.py"):
        compile(path.read_text(), path, "exec")
    package = json.loads((EXAMPLES / "typescript" / "package.json").read_text())
    locked = json.loads((EXAMPLES / "typescript" / "package-lock.json").read_text())["packages"]
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in one for path, one in locked.items() if path)


@pytest.mark.parametrize("version", [None, "v18.20.4"])
def test_a_machine_without_node_is_told_what_it_lacks(
    version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = tmp_path / "openapi-python-client"
    generator.touch()
    monkeypatch.setattr(generation, "GENERATOR", (str(generator),))
    for name in ("node", "npm") if version else ():
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(generation.MissingError, match=f"Node 20 or newer with npm; here is {version or 'none'}"):
        generation.check_tools()
