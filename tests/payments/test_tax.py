"""The tax within a price: which taxes, by which place, and that the parts add up to the paisa."""

from __future__ import annotations

import pytest

from backend.payments import gst, tax
from backend.payments.tax import TaxMode, TaxSplit, TaxTerms

EXEMPT = TaxTerms(TaxMode.EXEMPT)
HERE = TaxTerms(TaxMode.REGISTERED, 18, "27", "27")
ELSEWHERE = TaxTerms(TaxMode.REGISTERED, 18, "27", "33")
ABROAD = TaxTerms(TaxMode.REGISTERED, 18, "27", gst.ABROAD)
HERE_AT_5 = TaxTerms(TaxMode.REGISTERED, 5, "29", "29")
ELSEWHERE_AT_5 = TaxTerms(TaxMode.REGISTERED, 5, "29", "04")

CASES = [  # terms, the price in paise: without tax, CGST, SGST, IGST
    (EXEMPT, 0, (0, 0, 0, 0)),
    (EXEMPT, 1, (1, 0, 0, 0)),
    (EXEMPT, 150_000, (150_000, 0, 0, 0)),
    (EXEMPT, 10_000_000, (10_000_000, 0, 0, 0)),
    (HERE, 0, (0, 0, 0, 0)),
    (HERE, 1, (1, 0, 0, 0)),
    (HERE, 7, (5, 1, 1, 0)),
    (HERE, 118, (100, 9, 9, 0)),
    (HERE, 99_900, (84_662, 7_619, 7_619, 0)),
    (HERE, 120_000, (101_694, 9_153, 9_153, 0)),
    (HERE, 150_000, (127_118, 11_441, 11_441, 0)),
    (HERE, 10_000_000, (8_474_576, 762_712, 762_712, 0)),
    (ELSEWHERE, 1, (1, 0, 0, 0)),
    (ELSEWHERE, 4, (3, 0, 0, 1)),
    (ELSEWHERE, 118, (100, 0, 0, 18)),
    (ELSEWHERE, 99_900, (84_661, 0, 0, 15_239)),
    (ELSEWHERE, 150_000, (127_119, 0, 0, 22_881)),
    (ELSEWHERE, 10_000_000, (8_474_576, 0, 0, 1_525_424)),
    (ABROAD, 118, (100, 0, 0, 18)),
    (ABROAD, 150_000, (127_119, 0, 0, 22_881)),
    (HERE_AT_5, 105, (99, 3, 3, 0)),
    (HERE_AT_5, 150_000, (142_858, 3_571, 3_571, 0)),
    (ELSEWHERE_AT_5, 105, (100, 0, 0, 5)),
    (ELSEWHERE_AT_5, 150_000, (142_857, 0, 0, 7_143)),
]


@pytest.mark.parametrize(("terms", "amount", "parts"), CASES)
def test_a_price_is_split_and_adds_up(terms: TaxTerms, amount: int, parts: tuple[int, int, int, int]) -> None:
    found = tax.split(amount, terms)
    assert found == TaxSplit(*parts)
    assert found.amount_paise == amount


@pytest.mark.parametrize("terms", [EXEMPT, HERE, ELSEWHERE, HERE_AT_5])
def test_parts_that_go_back_give_what_all_of_it_would(terms: TaxTerms) -> None:
    before = TaxSplit(0)
    for part in (6, 1, 1, 49_992, 33_333, 1, 66_666):
        found = tax.split_back(part, terms, before=before)
        assert found.amount_paise == part
        assert min(found.taxable_paise, found.cgst_paise, found.sgst_paise, found.igst_paise) >= 0
        before = _sum(before, found)
    assert before == tax.split(150_000, terms)


def _sum(one: TaxSplit, other: TaxSplit) -> TaxSplit:
    return TaxSplit(*(getattr(one, name) + getattr(other, name) for name in TaxSplit.__dataclass_fields__))


@pytest.mark.parametrize("number", ["27AAPFU0939F1ZV", "29AAGCB7383J1Z4", "07AAGFF2194N1Z1"])
def test_a_registration_number_is_known_by_its_check_digit(number: str) -> None:
    assert gst.is_gstin(number)
    for wrong in (number.lower(), number[:14] + "Q", number[:2] + "B" + number[3:], "99" + number[2:], number[:14], ""):
        assert not gst.is_gstin(wrong)


def test_states_are_known_by_the_names_that_people_type() -> None:
    typed = {"maharashtra ": "27", "TAMIL NADU": "33", "Jammu & Kashmir": "01", "NCT of Delhi": "07", "Orissa": "21"}
    assert {name: gst.state_code(name) for name in typed} == typed
    assert [gst.state_code(name) for name in ("Not given", "", "Outside India", "தமிழ்நாடு")] == ["", "", "", ""]
