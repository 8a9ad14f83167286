"""The documents of receipts: made once, kept with their hash, and given out as they are."""

from __future__ import annotations

import hashlib
from datetime import datetime

from backend.payments.receipt_models import Receipt, ReceiptFile


def keep(receipt: Receipt, content: bytes, *, now: datetime) -> None:
    """The first one stays: whoever makes it a second time changes nothing."""
    digest = hashlib.sha256(content).hexdigest()
    row = ReceiptFile(receipt=receipt, content=content, sha256=digest, made_at=now)
    ReceiptFile.objects.bulk_create([row], ignore_conflicts=True)


def is_kept(receipt: Receipt) -> bool:
    """Whether it is made."""
    return ReceiptFile.objects.filter(receipt=receipt).exists()


def content(receipt: Receipt) -> bytes | None:
    """The document as it was kept; None: it is not made yet. Raises Damaged."""
    kept = ReceiptFile.objects.filter(receipt=receipt).first()
    if kept is None:
        return None
    found = bytes(kept.content)
    if hashlib.sha256(found).hexdigest() != kept.sha256:
        raise Damaged(f"the file of {receipt} is not what was kept")
    return found


def file_name(receipt: Receipt) -> str:
    """`MS-26-27-000123.pdf`."""
    return f"{receipt.number.replace('/', '-')}.pdf"


class Damaged(Exception):
    """What is stored does not have its hash: nobody is given it."""
