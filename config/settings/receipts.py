"""What receipts say of the practice and of tax."""

from __future__ import annotations

import re

from backend.core import environment as env
from backend.core.environment import Misconfigured
from backend.payments import gst
from config.settings.deployment import PRACTICE_NAME

PRACTICE_LEGAL_NAME = env.text(
    "PRACTICE_LEGAL_NAME", "the name receipts are made out by", default=PRACTICE_NAME, shown_default="PRACTICE_NAME"
)
PRACTICE_ADDRESS = env.text(
    "PRACTICE_ADDRESS",
    "its address on receipts, lines separated by `;`",
    example="2nd floor, 12 Baner Road; Pune 411045; Maharashtra",
)
TAX_MODE = env.choice(
    "TAX_MODE",
    "what receipts are: bills of supply without tax, or tax invoices of a practice that is registered for GST",
    ("exempt", "registered"),
    default="exempt",
)
PRACTICE_GSTIN = env.text("PRACTICE_GSTIN", "its GST number; printed on receipts", example="27AAPFU0939F1ZV")
TAX_SAC = env.text("TAX_SAC", "the services' code on receipts, 9993 and two digits", default="999319")
TAX_PERCENT = env.integer("TAX_PERCENT", "the tax that prices include, with TAX_MODE=registered", default=18)
if PRACTICE_GSTIN and not gst.is_gstin(PRACTICE_GSTIN):
    raise Misconfigured(f"PRACTICE_GSTIN={PRACTICE_GSTIN!r}: not a GST number; its last character is a check digit.")
if TAX_MODE == "registered" and not (PRACTICE_GSTIN and PRACTICE_ADDRESS):
    raise Misconfigured("TAX_MODE=registered needs PRACTICE_GSTIN and PRACTICE_ADDRESS: the law asks for both.")
if not re.fullmatch(r"9993\d\d", TAX_SAC):
    raise Misconfigured(f"TAX_SAC={TAX_SAC!r}: expected a code of health and care, 9993 and two digits.")
if TAX_PERCENT > 28:
    raise Misconfigured(f"TAX_PERCENT={TAX_PERCENT}: expected 28 or less.")
for _name, _value, _longest in (
    ("PRACTICE_LEGAL_NAME", PRACTICE_LEGAL_NAME, 200),
    ("PRACTICE_ADDRESS", PRACTICE_ADDRESS, 500),
):
    if len(_value) > _longest:
        raise Misconfigured(f"{_name} is longer than {_longest} characters.")
