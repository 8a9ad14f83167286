"""What India's tax on goods and services (GST) calls things: registration numbers and the codes of states.

Rule 10 of the CGST Rules has the number, whose last character is a check digit in base 36; the portal has the codes.
"""

from __future__ import annotations

import re

ABROAD = "96"  # "other country", as returns write it
STATES = {
    "01": "Jammu and Kashmir",
    "02": "Himachal Pradesh",
    "03": "Punjab",
    "04": "Chandigarh",
    "05": "Uttarakhand",
    "06": "Haryana",
    "07": "Delhi",
    "08": "Rajasthan",
    "09": "Uttar Pradesh",
    "10": "Bihar",
    "11": "Sikkim",
    "12": "Arunachal Pradesh",
    "13": "Nagaland",
    "14": "Manipur",
    "15": "Mizoram",
    "16": "Tripura",
    "17": "Meghalaya",
    "18": "Assam",
    "19": "West Bengal",
    "20": "Jharkhand",
    "21": "Odisha",
    "22": "Chhattisgarh",
    "23": "Madhya Pradesh",
    "24": "Gujarat",
    "26": "Dadra and Nagar Haveli and Daman and Diu",
    "27": "Maharashtra",
    "29": "Karnataka",
    "30": "Goa",
    "31": "Lakshadweep",
    "32": "Kerala",
    "33": "Tamil Nadu",
    "34": "Puducherry",
    "35": "Andaman and Nicobar Islands",
    "36": "Telangana",
    "37": "Andhra Pradesh",
    "38": "Ladakh",
    ABROAD: "Outside India",
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
