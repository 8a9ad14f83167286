"""The search of `make security` finds what lies in clear, and what anybody can read back."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.security import searched

pytestmark = pytest.mark.sqlite_only
SECRET = {"a message": {"Nobody may read this."}}


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_a_secret_is_found_in_clear_in_hex_and_in_base64_wherever_it_stands(before: str) -> None:
    text = f"{before}Nobody may read this.{before}".encode()
    for form in (text, text.hex().encode(), text.hex().upper().encode(), base64.b64encode(text)):
        assert searched.found_in(b"\0" + form + b"\0", SECRET) == ["a message"]
    assert searched.found_in(b"Nobody may read that.", SECRET) == []


def test_a_kind_of_which_nothing_was_planted_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert searched.report({"database": b"nothing"}, SECRET)
    assert not searched.report({"database": b"nothing"}, SECRET | {"tokens": set()})
    assert "MISSED" in capsys.readouterr().out


def test_tokens_are_read_out_of_mails_whose_lines_were_broken(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_bytes(b"https://x/go/cancel/?token=3DabcdefghijABCDEFGHIJ=\n0123456789 ...")
    assert searched.mailed_tokens(tmp_path) == {"abcdefghijABCDEFGHIJ0123456789"}
