"""The tax within a sum: prices include it, and its parts add up to the paisa."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaxMode(StrEnum):
    """Whether the practice's sessions bear tax. Health care is exempt, other counselling is not: ask an accountant."""

    EXEMPT = "exempt"
    REGISTERED = "registered"


@dataclass(frozen=True)
class TaxTerms:
    """What decides how a sum is taxed. The codes of states are those of `gst.STATES`."""

    mode: TaxMode
    percent: int = 0
    practice_state: str = ""
    place_of_supply: str = ""

    @property
    def is_between_states(self) -> bool:
        """Then the tax is the union's alone; else half of it is the state's."""
        return self.practice_state != self.place_of_supply


@dataclass(frozen=True)
class TaxSplit:
    """A sum in paise: what it is without tax, and the taxes."""

    taxable_paise: int
    cgst_paise: int = 0
    sgst_paise: int = 0
    igst_paise: int = 0

    @property
    def amount_paise(self) -> int:
        """With its taxes."""
        return self.taxable_paise + self.cgst_paise + self.sgst_paise + self.igst_paise

    def __sub__(self, other: TaxSplit) -> TaxSplit:
        return TaxSplit(
            self.taxable_paise - other.taxable_paise,
            self.cgst_paise - other.cgst_paise,
            self.sgst_paise - other.sgst_paise,
            self.igst_paise - other.igst_paise,
        )


def split(amount_paise: int, terms: TaxTerms) -> TaxSplit:
    """Each tax is rounded to the paisa, halves up; what is left is the value. The two halves are equal."""
    if terms.mode is TaxMode.EXEMPT:
        return TaxSplit(amount_paise)
    if terms.is_between_states:
        tax = _rounded(amount_paise * terms.percent, 100 + terms.percent)
        return TaxSplit(amount_paise - tax, igst_paise=tax)
    half = _rounded(amount_paise * terms.percent, 2 * (100 + terms.percent))
    return TaxSplit(amount_paise - 2 * half, cgst_paise=half, sgst_paise=half)


def split_back(amount_paise: int, terms: TaxTerms, *, before: TaxSplit) -> TaxSplit:
    """Of a part that goes back after others did: all parts together give what all of the sum would.

    Where a paisa or two would bear more tax than they are, it waits for the next part.
    """
    found = split(before.amount_paise + amount_paise, terms) - before
    return found if found.taxable_paise >= 0 else TaxSplit(amount_paise)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
