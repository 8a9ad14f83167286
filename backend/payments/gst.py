"""What India's tax on goods and services (GST) calls things: registration numbers and the codes of states.

Rule 10 of the CGST Rules has the number, whose last character is a check digit in base 36; the portal has the codes.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_noop as _

ABROAD = "96"  # "other country", as returns write it
STATES = {
    "01": _("Jammu and Kashmir"),
    "02": _("Himachal Pradesh"),
    "03": _("Punjab"),
    "04": _("Chandigarh"),
    "05": _("Uttarakhand"),
    "06": _("Haryana"),
    "07": _("Delhi"),
    "08": _("Rajasthan"),
    "09": _("Uttar Pradesh"),
    "10": _("Bihar"),
    "11": _("Sikkim"),
    "12": _("Arunachal Pradesh"),
    "13": _("Nagaland"),
    "14": _("Manipur"),
    "15": _("Mizoram"),
    "16": _("Tripura"),
    "17": _("Meghalaya"),
    "18": _("Assam"),
    "19": _("West Bengal"),
    "20": _("Jharkhand"),
    "21": _("Odisha"),
    "22": _("Chhattisgarh"),
    "23": _("Madhya Pradesh"),
    "24": _("Gujarat"),
    "26": _("Dadra and Nagar Haveli and Daman and Diu"),
    "27": _("Maharashtra"),
    "29": _("Karnataka"),
    "30": _("Goa"),
    "31": _("Lakshadweep"),
    "32": _("Kerala"),
    "33": _("Tamil Nadu"),
    "34": _("Puducherry"),
    "35": _("Andaman and Nicobar Islands"),
    "36": _("Telangana"),
    "37": _("Andhra Pradesh"),
    "38": _("Ladakh"),
    ABROAD: _("Outside India"),
}
WITHOUT_LEGISLATURE = {"04", "26", "31", "35", "38"}  # there the state's half is the union territory's
_OTHER_NAMES = {  # that people type
    "nct of delhi": "07",
    "new delhi": "07",
    "orissa": "21",
    "pondicherry": "34",
    "uttaranchal": "05",
    "chattisgarh": "22",
    "dadra and nagar haveli": "26",
    "daman and diu": "26",
}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBER = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")


def is_gstin(text: str) -> bool:
    """Whether this can be a registration number: its form, a state that exists, and its check digit."""
    return bool(_NUMBER.fullmatch(text)) and text[:2] in STATES and check_digit(text[:14]) == text[14]


def check_digit(number: str) -> str:
    """Each second character counts double; of what then has two digits in base 36, their sum."""
    total = 0
    for place, character in enumerate(number):
        value = _DIGITS.index(character) * (1 + place % 2)
        total += value // 36 + value % 36
    return _DIGITS[-total % 36]


def state_code(typed: str) -> str:
    """The code of a state by the name that somebody typed; empty: none that we know."""
    name = " ".join(re.sub(r"[^a-z]+", " ", typed.lower().replace("&", " and ")).split())
    return _BY_NAME.get(name, "")


_BY_NAME = {name.lower(): code for code, name in STATES.items() if code != ABROAD} | _OTHER_NAMES
