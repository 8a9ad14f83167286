"""UPI at the practice: the address that a telephone's app opens, as text and as a picture to scan.

NPCI's deep link: `upi://pay` with pa (payee), pn (name), am (rupees), cu, tn (note), tr (reference).
"""

from __future__ import annotations

from io import BytesIO
from urllib.parse import quote, urlencode

from django.conf import settings

PICTURE_NAME = "pay-by-upi.png"


def is_offered() -> bool:
    """Whether the practice takes money by UPI at its desk."""
    return bool(settings.UPI_ID)


def address(amount_paise: int, booking_reference: str) -> str:
    """What to open or scan. It names the practice as PAYMENT_NAME has it, and the booking by its id alone."""
    facts = {
        "pa": settings.UPI_ID,
        "pn": settings.PAYMENT_NAME,
        "am": f"{amount_paise // 100}.{amount_paise % 100:02d}",
        "cu": "INR",
        "tn": booking_reference,
        "tr": booking_reference,
    }
    return "upi://pay?" + urlencode(facts, quote_via=quote, safe="@")


def svg(text: str) -> str:
    """An address as an inline picture, white behind it on dark pages too."""
    import segno  # who takes money draws it, nobody else

    return segno.make(text, error="m").svg_inline(scale=4, border=4, light="#fff", omitsize=True)


def png(text: str) -> bytes:
    """The same as a file; the same bytes on every call."""
    import segno

    written = BytesIO()
    segno.make(text, error="m").save(written, kind="png", scale=6, border=4)
    return written.getvalue()
