"""Money rows: one Payment per attempt, one Refund per sum given back, one InboxEvent per webhook received."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from backend.core.outgoing.fields import ID_LONGEST
from backend.core.personal_data import classify
from backend.payments.gateway import URL_LONGEST, WHY_LONGEST, WORD_LONGEST, LastTry
from backend.payments.receipt_models import DocumentKind as DocumentKind
from backend.payments.receipt_models import Receipt as Receipt
from backend.payments.receipt_models import ReceiptFile as ReceiptFile
from backend.payments.receipt_models import ReceiptSeries as ReceiptSeries
from backend.payments.reconciliation_models import Reconciliation as Reconciliation

REFERENCE_LONGEST = 40  # of our own references; Razorpay takes no longer ones
KEPT_WHY_LONGEST = 300  # of the sentence that says why an event is in quarantine; ids in it may be cut


class PaymentState(models.TextChoices):
    """An attempt's states, in order. Money may still arrive for an attempt that failed or was left idle."""

    OPEN = "open", "Open"  # the visitor was given the reference and may be paying now
    FAILED = "failed", "Failed"  # the gateway said that it was declined
    IDLE = "idle", "Idle"  # nothing came before its deadline
    CAPTURED = "captured", "Captured"  # money arrived; final, unless staff recorded it by mistake
    VOIDED = "voided", "Recorded by mistake"  # of the desk alone: the money never came; final


class VoidReason(models.TextChoices):
    """Why a payment at the desk was recorded by mistake."""

    WRONG_BOOKING = "wrong_booking", "it was for another booking"
    NOT_RECEIVED = "not_received", "the money was not handed over"
    WRONG_SUM = "wrong_sum", "another sum was handed over"
    RECORDED_TWICE = "recorded_twice", "it was paid for in another way already"


class PageState(models.TextChoices):
    """Whether a gateway's hosted page may still take money for an attempt, as far as we know."""

    NONE = "", "None"  # the gateway has no pages, or none was asked for yet
    OPEN = "open", "Open"  # set before it is asked for, so that an answer that is lost loses no page
    CLOSED = "closed", "Closed"  # the gateway said so, or it never was


class PaymentMethod(models.TextChoices):
    ONLINE = "online", "Online"
    DESK = "desk", "At the desk"


BANK_REFERENCE_LONGEST = 40
BANK_REFERENCE = RegexValidator(r"^[\w ./:@-]*$", "Use letters, digits and the signs . / : @ - alone.")


class DeskMeans(models.TextChoices):
    """How money came at the practice: `Payment.paid_by` of a payment at the desk."""

    CASH = "cash", "Cash"
    UPI = "upi", "UPI"
    CARD = "card", "Card"
    TRANSFER = "transfer", "Bank transfer"


class PaymentQuerySet(models.QuerySet["Payment"]):
    """The two questions that are asked of a booking's attempts."""

    def counted(self) -> PaymentQuerySet:
        """What counts as paid: captured, and expected: one payment of the whole sum, or parts of it."""
        return self.filter(state=PaymentState.CAPTURED, is_unexpected=False)

    def open(self) -> PaymentQuerySet:
        """Those that the visitor may be paying now. One a booking at most."""
        return self.filter(state=PaymentState.OPEN)

    def with_open_page(self) -> PaymentQuerySet:
        """Those whose hosted page may still take money. One a booking at most."""
        return self.filter(page_state=PageState.OPEN)


class Payment(models.Model):
    """One attempt to pay. `reference` is ours and is the gateway's idempotency key."""

    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="payments")
    reference = models.CharField(max_length=REFERENCE_LONGEST, unique=True)
    method = models.CharField(max_length=16, choices=PaymentMethod.choices, default=PaymentMethod.ONLINE)
    gateway = models.CharField(max_length=20, blank=True)
    gateway_order_id = models.CharField(max_length=ID_LONGEST, blank=True)
    capture_id = models.CharField(max_length=ID_LONGEST, blank=True)
    amount_paise = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=PaymentState.choices, default=PaymentState.OPEN)
    captured_paise = models.PositiveIntegerField(default=0)
    captured_currency = models.CharField(max_length=3, blank=True)
    paid_by = models.CharField(max_length=WORD_LONGEST, blank=True, db_default="")  # the means: "upi", "card", "cash"
    bank_reference = models.CharField(max_length=BANK_REFERENCE_LONGEST, blank=True, db_default="")  # of the desk
    received_on = models.DateField(null=True, blank=True)  # the same; None: on the day on which it was recorded
    fee_paise = models.PositiveIntegerField(null=True, blank=True)  # what the gateway kept of it, with its tax
    tax_paise = models.PositiveIntegerField(null=True, blank=True)
    page_state = models.CharField(max_length=8, choices=PageState.choices, blank=True, db_default="")
    pay_url = models.CharField(max_length=URL_LONGEST, blank=True, db_default="")
    page_expires_at = models.DateTimeField(null=True, blank=True)
    last_try = models.CharField(max_length=8, blank=True, db_default="")  # a `LastTry`, when we last heard of it
    looked_at = models.DateTimeField(null=True, blank=True)  # when our pay page last asked the gateway
    is_unexpected = models.BooleanField(default=False)  # captured, and more than is to be paid: it goes back
    asked = models.PositiveSmallIntegerField(default=0)  # how often the gateway was asked after the deadline
    started_at = models.DateTimeField()
    captured_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    compared_at = models.DateTimeField(null=True, blank=True)  # when the gateway last said that it was captured
    refunds_compared_at = models.DateTimeField(null=True, blank=True)  # when its refunds were compared last
    objects = PaymentQuerySet.as_manager()

    SENSITIVITY = classify(
        internal=(
            "booking reference method gateway gateway_order_id capture_id amount_paise currency state "
            "captured_paise captured_currency paid_by bank_reference received_on fee_paise tax_paise "
            "page_state pay_url page_expires_at last_try looked_at "
            "is_unexpected asked started_at captured_at closed_at compared_at refunds_compared_at"
        ),
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["booking"], condition=models.Q(state="open"), name="one_open_attempt_per_booking"
            ),
            models.UniqueConstraint(
                fields=["gateway", "gateway_order_id"],
                condition=~models.Q(gateway_order_id=""),
                name="order_pays_once",
            ),
            models.UniqueConstraint(
                fields=["gateway", "capture_id"], condition=~models.Q(capture_id=""), name="capture_pays_once"
            ),
            models.UniqueConstraint(
                fields=["booking"], condition=models.Q(page_state="open"), name="one_open_page_per_booking"
            ),
        ]
        indexes = [
            # the accountant's period, and what the reconciler compares
            models.Index(fields=["captured_at"], condition=~models.Q(captured_at=None), name="payment_captured"),
            # of which gateways there are attempts to compare
            models.Index(fields=["started_at"], name="payment_started"),
            # money that nobody expected, as Today shows it; there is hardly any
            models.Index(fields=["captured_at"], condition=models.Q(is_unexpected=True), name="payment_unexpected"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def tried(self) -> LastTry:
        return LastTry(self.last_try)

    @property
    def counts(self) -> bool:
        """As `counted` asks of rows."""
        return self.state == PaymentState.CAPTURED and not self.is_unexpected


class RefundState(models.TextChoices):
    QUEUED = "queued", "Queued"  # owed; the payments worker asks the gateway, or the desk hands it out
    # the gateway called it pending for REFUND_ASKED_FOR; staff must act, and money that moves after all still counts
    UNFINISHED = "unfinished", "Not finished by the gateway"
    DONE = "done", "Done"  # the gateway says it is made; final
    REFUSED = "refused", "Refused"  # the gateway refused; staff must act
    WITHDRAWN = "withdrawn", "Withdrawn"  # what owed it was undone before anything moved; final


NOT_PROMISED = (RefundState.REFUSED, RefundState.WITHDRAWN)  # the sum is the practice's again
OVER = (RefundState.DONE, RefundState.WITHDRAWN)  # nobody has anything to do


class Refund(models.Model):
    """A sum given back, never above what was captured."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    reference = models.CharField(max_length=REFERENCE_LONGEST, unique=True)
    gateway_refund_id = models.CharField(max_length=ID_LONGEST, blank=True)
    amount_paise = models.PositiveIntegerField()
    reason = models.CharField(max_length=40)
    actor = models.CharField(max_length=80)
    # in the gateway's words
    refused_why = models.CharField(max_length=WHY_LONGEST, blank=True, default="", db_default="")
    state = models.CharField(max_length=16, choices=RefundState.choices, default=RefundState.QUEUED)
    queued_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(
        internal="payment reference gateway_refund_id amount_paise reason actor refused_why state queued_at settled_at",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=models.Q(amount_paise__gt=0), name="refund_is_positive")]

    def __str__(self) -> str:
        return self.reference


class SettlementLine(models.Model):
    """One line of what a gateway paid out, as it said it: see `gateway.SettledItem`."""

    gateway = models.CharField(max_length=20)
    kind = models.CharField(max_length=ID_LONGEST)
    gateway_id = models.CharField(max_length=ID_LONGEST)
    reference = models.CharField(max_length=ID_LONGEST, blank=True)
    amount_paise = models.IntegerField()
    fee_paise = models.IntegerField()
    tax_paise = models.IntegerField()
    currency = models.CharField(max_length=3)
    settlement_id = models.CharField(max_length=ID_LONGEST)
    bank_reference = models.CharField(max_length=ID_LONGEST, blank=True)
    settled_at = models.DateTimeField()

    SENSITIVITY = classify(
        internal=(
            "gateway kind gateway_id reference amount_paise fee_paise tax_paise currency settlement_id bank_reference "
            "settled_at"
        ),
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "gateway_id", "kind", "settlement_id"], name="settlement_line_once"
            ),
        ]
        indexes = [models.Index(fields=["settled_at"], name="settlement_settled")]  # the accountant's period

    def __str__(self) -> str:
        return f"{self.gateway} {self.gateway_id}"


# what somebody must look into: it moved nothing; no event told of it; its signature is not ours
ODD_RESULTS = ("quarantined", "untold", "refused")


class InboxEvent(models.Model):
    """A webhook received: kept before anything is done about it, once however often it comes.

    `applied_at` is set in the transaction of its effect.
    What the gateway answered to us stands here too if it had to be kept in quarantine.
    """

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=ID_LONGEST)
    kind = models.CharField(max_length=40)
    facts = models.JSONField(null=True, blank=True)  # what was read of it: ids, sums, words of the protocol
    payment_reference = models.CharField(max_length=REFERENCE_LONGEST, blank=True)
    result = models.CharField(max_length=40, blank=True)
    why = models.CharField(
        max_length=KEPT_WHY_LONGEST, blank=True, default="", db_default=""
    )  # it was kept in quarantine
    correlation_id = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)  # None: waits for the payments worker

    SENSITIVITY = classify(
        internal="gateway event_id kind facts payment_reference result why correlation_id received_at applied_at"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="inbox_event_once")]
        indexes = [
            models.Index(fields=["payment_reference"], name="inbox_payment"),  # what the gateway said of one
            # what somebody must look into
            models.Index(fields=["received_at"], condition=models.Q(result__in=ODD_RESULTS), name="inbox_odd"),
            # what waits for its effect
            models.Index(fields=["received_at"], condition=models.Q(applied_at=None), name="inbox_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"
