"""One form for each telephone number, however people and caller displays write it."""

from __future__ import annotations

import pytest

from backend.people import phones

NUMBER = "+919845012345"


@pytest.mark.parametrize(
    "typed",
    [
        *("9845012345", "98450 12345", "98450-12345", "09845012345", "(984)5012345", "(984) 501-2345", NUMBER),
        *("+91 98450 12345", "+91-98450-12345", "91 98450 12345", "0091 98450 12345", "+91 (0)98450 12345"),
    ],
)
def test_a_number_has_one_form(typed: str) -> None:
    assert phones.canonical(typed) == NUMBER


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("+44 (0)20 7946 0958", "", "+442079460958"),
        ("020 7946 0958", "UK", "+442079460958"),
        ("2125550123", "United States", "+12125550123"),
        ("9841234567", "Nepal", "+9779841234567"),
        ("9876543210", "United Kingdom", "+919876543210"),  # nobody's there: they kept their number of home
        ("9845012345", "Bharat", NUMBER),
        ("+91 98450 12345", "U.S.A.", NUMBER),
        ("1234567890", "India", "+911234567890"),  # ten digits are taken as the site sends them
        ("0123456789", "India", "+910123456789"),
    ],
)
def test_a_number_without_code_belongs_to_its_country(typed: str, country: str, kept: str) -> None:
    assert phones.canonical(typed, country) == kept
    assert phones.canonical(kept, country) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "987654321", "98765432100", "987654321O", "98450CALLME", "9845012345 ext 5", "९८७६५४३२१०", "+1 900 12"),
        *("98450 12345, 98450 12346", "+", "112", "+999 98450 12345"),
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        phones.canonical(typed)


def test_ten_digits_go_out_as_they_came_in() -> None:
    for digits in ("9876543210", "0123456789"):
        assert phones.shown(phones.canonical(digits)) == digits
    assert [phones.shown(kept) for kept in ("+442079460958", "98 76", "")] == ["+442079460958", "98 76", ""]


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        *(("98450 12345", "9845012345"), ("0984", "984"), ("(984) 50", "98450"), ("+91-984", "91984"), ("asha", "")),
        *(("+44 (0)20 7946 0958", "442079460958"), ("0091 98450 12345", "919845012345"), ("asha 98450", "")),
    ],
)
def test_a_number_is_sought_by_the_digits_that_are_kept(typed: str, digits: str) -> None:
    assert phones.sought(typed) == digits
