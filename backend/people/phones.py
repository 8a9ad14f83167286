"""Telephone numbers: kept as E.164 (`+919845012345`), understood as people and caller displays write them.

https://www.itu.int/rec/T-REC-E.164; what is a number in which country, `phonenumbers` knows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber  # most numbers are written as they are kept, and need none of what it loads

HOME_REGION = "IN"  # of numbers without a country's code
HOME_CODE = "+91"
_USUAL_NAMES = {"UK": "GB", "ENGLAND": "GB", "SCOTLAND": "GB", "USA": "US", "UAE": "AE", "DUBAI": "AE", "RUSSIA": "RU"}
_SIGNS = re.compile(r"[0-9+()./\-\s]+")
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_AT_HOME = re.compile(re.escape(HOME_CODE) + r"([0-9]{10})")


def canonical(typed: str, country: str = "") -> str:
    """`+919845012345` for `98450 12345`, `098450…`, `(984) 501-2345`, `+91-98450…`. Raises ValueError for no number.

    Ten digits, as the site sends them, are always a number of home. `country`, as people write it, says where a number
    without code belongs, if it is somebody's there; many people abroad keep a number of home.
    """
    if _AT_HOME.fullmatch(typed):
        return typed
    if not _SIGNS.fullmatch(typed):
        raise ValueError("no number")
    for region in dict.fromkeys((region_of(country), HOME_REGION)):
        if region == HOME_REGION and _TEN_DIGITS.fullmatch(typed):
            return HOME_CODE + typed
        number = _parsed(typed, region)
        if number is not None and (region == HOME_REGION or _is_somebodys(number)):
            return _as_kept(number)
    raise ValueError("no number")


def region_of(country: str) -> str:
    """`US` for `United States` or `USA`; home for what is no country's name."""
    return _region_of(country.strip().replace(".", "").upper())


@lru_cache(maxsize=500)
def _region_of(name: str) -> str:
    from pycountry import countries

    try:
        return _USUAL_NAMES.get(name) or str(countries.lookup(name).alpha_2)
    except LookupError:
        return HOME_REGION


def shown(kept: str) -> str:
    """As people and the API's clients read it: ten digits at home, with the country's code abroad."""
    at_home = _AT_HOME.fullmatch(kept)
    return at_home[1] if at_home else kept


def sought(typed: str) -> str:
    """The digits of a number, or of a part of one, in the order in which they are kept; empty for other words.

    A country's code or the zero that is dialled inside a country may stand before them.
    """
    if not _SIGNS.fullmatch(typed):
        return ""
    number = _parsed(typed, HOME_REGION) if typed.strip().startswith(("+", "00")) else None
    if number is not None:
        return _as_kept(number).lstrip("+")
    return re.sub(r"[^0-9]", "", typed).lstrip("0")


def _parsed(typed: str, region: str) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, is_valid_number, parse

    try:
        number = parse(typed, region)
    except NumberParseException:
        return None
    return number if is_valid_number(number) else None


def _is_somebodys(number: PhoneNumber) -> bool:
    from phonenumbers import PhoneNumberType, number_type

    of_people = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return number_type(number) in of_people


def _as_kept(number: PhoneNumber) -> str:
    from phonenumbers import PhoneNumberFormat, format_number

    return format_number(number, PhoneNumberFormat.E164)
