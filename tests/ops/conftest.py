"""What tests of the reconciliation share."""

from __future__ import annotations

import pytest

from tests.support.gateway_books import Books


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    """The gateway's books, which the reconciler reads."""
    books = Books()
    monkeypatch.setattr("backend.ops.reconciler.gateway_named", lambda _: books)
    return books
