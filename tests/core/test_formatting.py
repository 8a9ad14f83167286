"""How people read money, and how programs do."""

from __future__ import annotations

import pytest

from backend.core import formatting


@pytest.mark.parametrize(
    ("paise", "for_people", "for_programs"),
    [
        (0, "0.00", "0.00"),
        (5, "0.05", "0.05"),
        (99_999, "999.99", "999.99"),
        (150_000, "1,500.00", "1500.00"),
        (10_000_000, "1,00,000.00", "100000.00"),
        (1_234_567_890, "1,23,45,678.90", "12345678.90"),
        (-150, "-1.50", "-1.50"),
        (-10_000_050, "-1,00,000.50", "-100000.50"),
    ],
)
def test_sums_are_grouped_as_people_here_read_them(paise: int, for_people: str, for_programs: str) -> None:
    assert (formatting.grouped_rupees(paise), formatting.rupees(paise)) == (for_people, for_programs)
