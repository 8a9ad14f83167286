"""What people read on a page or in a mail holds no signs of a document: no asterisks around a word, no backticks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.ops.templatetags.commands import with_commands
from config.local import messages
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
EMPHASIS = re.compile(r"(?<![\w*/])\*{1,2}[^\s*][^*\n]*\*{1,2}(?![\w*/])")
CODE = re.compile(r"`[^`]+`")
# what is read in a terminal, or as Markdown: the description of the API, the table of settings, advice to operators
WITH_CODE = (
    *("management", "checks.py", "schema.py", "docs.py", "staff", "public", "findings.py", "doctor.py", "backup.py"),
    *("policy.py", "broker_url.py", "commands.py"),
)
UNREAD = re.compile(r"<(style|script).*?</\1>|{#.*?#}|{% comment.*?endcomment %}", re.DOTALL)


def strings(path: Path) -> Iterator[str]:
    """Those of a module, without what is said of its code."""
    tree = ast.parse(path.read_text())
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def signs(text: str, *, may_have_code: bool) -> list[str]:
    """Those that a reader of this text would see."""
    return [*EMPHASIS.findall(text), *([] if may_have_code else CODE.findall(text))]


def test_no_sentence_of_the_code_has_signs_of_a_document() -> None:
    found = [
        (str(path.relative_to(ROOT)), sign)
        for path in sorted((ROOT / "backend").rglob("*.py"))
        for text in strings(path)
        for sign in signs(text, may_have_code=bool({*path.parts} & {*WITH_CODE}))
    ]
    assert found == []


def test_no_page_and_no_mail_has_them() -> None:
    found = [
        (str(path.relative_to(ROOT)), sign)
        for path in sorted((ROOT / "backend").rglob("*.html"))
        for sign in signs(UNREAD.sub("", path.read_text()), may_have_code=False)
    ]
    assert found == []


@pytest.mark.parametrize("language", messages.languages())
def test_no_translation_has_them(language: str) -> None:
    said = [text for one in messages.read(language) if one.id for text in [one.string, *one.string]]
    assert [text for text in said if isinstance(text, str) and signs(text, may_have_code=False)] == []


def test_such_signs_are_found() -> None:
    text = "they say *session*, `make run` and **no more**; 2 * 3 * 4, **kwargs, */5"
    assert signs(text, may_have_code=False) == ["*session*", "**no more**", "`make run`"]


def test_a_command_in_advice_is_code_on_a_page_and_nothing_else_is_markup() -> None:
    assert with_commands("Run `release` <now>.") == "Run <code>release</code> &lt;now&gt;."
