"""Receipts and credit notes: what each says, frozen when its money moved, and the document made of it.

Both tables are append-only, by triggers: a receipt is never changed, and a mistake is a credit note.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from backend.core.append_only import Guard
from backend.core.personal_data import classify
from backend.payments.tax import TaxMode

NUMBER_LONGEST = 16  # rule 46(b) of the CGST Rules; of credit notes rule 53


class DocumentKind(models.TextChoices):
    RECEIPT = "receipt", "Receipt"  # of money that came in
    CREDIT_NOTE = "credit_note", "Credit note"  # of money that went back, or never came


class ReceiptSeries(models.Model):
    """The next number of a kind in a financial year. Its row is the last lock of the transaction that takes one."""

    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    year = models.PositiveSmallIntegerField()  # in which it begins, on 1 April
    next_number = models.PositiveIntegerField(default=1)

    SENSITIVITY = classify(internal="kind year next_number")

    class Meta:
        verbose_name_plural = "receipt series"
        constraints = [models.UniqueConstraint(fields=["kind", "year"], name="receipt_series_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}"


class Receipt(models.Model):
    """One numbered document. All that it says stands here, so that neither a setting nor an erasure changes it."""

    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    number = models.CharField(max_length=NUMBER_LONGEST, unique=True)
    at = models.DateTimeField()
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="receipts")
    # of a credit note: what it takes back, and for which refund; none: the payment was recorded by mistake
    original = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="credit_notes")
    refund = models.OneToOneField(
        "payments.Refund", null=True, blank=True, on_delete=models.PROTECT, related_name="credit_note"
    )
    language = models.CharField(max_length=8, default="en", db_default="en")  # ISO 639-1, of all that it says
    person_name = models.CharField(max_length=120)
    booking_reference = models.CharField(max_length=9)  # its acknowledgement id
    description = models.CharField(max_length=120)
    practice_name = models.CharField(max_length=200)
    practice_address = models.CharField(max_length=500, blank=True)
    gstin = models.CharField(max_length=15, blank=True)
    sac = models.CharField(max_length=6, blank=True)
    tax_mode = models.CharField(max_length=16, choices=[(mode.value, mode.value) for mode in TaxMode])
    tax_percent = models.PositiveSmallIntegerField(default=0)
    place_of_supply = models.CharField(max_length=2, blank=True)  # code of a state; none where no tax is due
    currency = models.CharField(max_length=3)
    amount_paise = models.PositiveIntegerField()
    taxable_paise = models.PositiveIntegerField()
    cgst_paise = models.PositiveIntegerField(default=0)
    sgst_paise = models.PositiveIntegerField(default=0)
    igst_paise = models.PositiveIntegerField(default=0)

    SENSITIVITY = classify(
        personal="person_name",
        internal=(
            "kind year sequence number at payment original refund language booking_reference description practice_name "
            "practice_address gstin sac tax_mode tax_percent place_of_supply currency amount_paise taxable_paise "
            "cgst_paise sgst_paise igst_paise"
        ),
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "year", "sequence"], name="receipt_number_once"),
            models.UniqueConstraint(fields=["payment"], condition=Q(kind="receipt"), name="receipt_of_payment_once"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(kind="credit_note", refund=None), name="receipt_cancelled_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="receipt", original=None, refund=None) | Q(kind="credit_note", original__isnull=False),
                name="credit_note_names_its_receipt",
            ),
            models.CheckConstraint(
                condition=Q(amount_paise=F("taxable_paise") + F("cgst_paise") + F("sgst_paise") + F("igst_paise")),
                name="receipt_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ReceiptFile(models.Model):
    """The document as it was made once; whoever has it can compare it with the hash."""

    receipt = models.OneToOneField(Receipt, on_delete=models.PROTECT, related_name="file")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)  # of the content, hex
    made_at = models.DateTimeField()

    SENSITIVITY = classify(personal="content", internal="receipt sha256 made_at")

    def __str__(self) -> str:
        return f"file of {self.receipt_id}"


GUARDS = (
    Guard("payments_receipt", "receipt", "receipts are append-only"),
    Guard("payments_receiptfile", "receipt_file", "files of receipts are append-only"),
)
