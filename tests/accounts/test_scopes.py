"""What a token's scopes open."""

from __future__ import annotations

import pytest

from backend.accounts import scopes

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("held", "opened"),
    [
        ("read", "bookings:read payments:read"),
        ("act", "bookings:read bookings:write payments:read payments:write"),
        ("bookings:read", "bookings:read"),
        ("bookings:write", "bookings:read bookings:write"),
        ("payments:read bookings:write", "bookings:read bookings:write payments:read"),
        ("", ""),
    ],
)
def test_a_scope_opens_its_own_and_who_may_write_may_read(held: str, opened: str) -> None:
    asked = ("bookings:read", "bookings:write", "payments:read", "payments:write")
    assert [scope for scope in asked if scopes.allows(held, scope)] == opened.split()


def test_scopes_are_kept_each_once_in_one_order_and_none_that_nobody_knows() -> None:
    assert scopes.joined(["payments:read", "bookings:read", "payments:read"]) == "bookings:read payments:read"
    assert len(" ".join(scopes.ALL)) <= 400  # of the column
    for wrong in ([], ["all"], ["bookings"], ["bookings:read", ""]):
        with pytest.raises(ValueError, match="scopes are"):
            scopes.joined(wrong)
