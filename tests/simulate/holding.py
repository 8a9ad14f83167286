"""What must hold of all rows at the end of a month, written from the design."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from backend.bookings.models import Booking, Link
from backend.outbox.models import Message
from backend.payments.models import Payment, Receipt, Reconciliation, Refund
from tests.chaos import checker

LATE = timedelta(hours=13)  # the longest that the year's clock jumps
KEPT = timedelta(days=30)  # a link that expired, and what a settled mail said
HELD = ("CONFIRMED", "COMPLETED")
ACTIVE = ("PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED")


def broken() -> list[str]:
    """A sentence for each row that breaks the design."""
    of_rows = [
        *checker.illegal_steps(),
        *checker.wrong_claims(),
        *_late(),
        *_twice(),
        *_money(),
        *_receipts(),
        *_kept(),
    ]
    return [*of_rows, *_compared()]


def _late() -> Iterator[str]:
    """Deadlines and effects that were not met."""
    over = timezone.now() - LATE
    for pk, state in Booking.objects.filter(due_at__lt=over).values_list("pk", "state"):
        yield f"booking {pk} should have left {state}"
    waiting = Message.objects.filter(state="waiting", next_attempt_at__lt=over)
    for pk, kind in waiting.values_list("pk", "kind"):
        yield f"{kind} {pk} is owed and did not leave"
    for pk, kind, error in Message.objects.filter(state__in=["dead", "unknown"]).values_list(
        "pk", "kind", "last_error"
    ):
        yield f"{kind} {pk} was given up: {error}"


def _twice() -> Iterator[str]:
    active = Booking.objects.filter(state__in=ACTIVE).exclude(email="")
    for row in active.values("email").annotate(times=Count("pk")).filter(times__gt=1):
        yield f"{row['times']} active bookings of one address"


def _money() -> Iterator[str]:
    """Who has a session paid for it once; what was paid for nothing goes back whole."""
    held = Booking.objects.filter(state__in=HELD, amount_paise__gt=0)
    paid = held.annotate(
        paid=Sum("payments__captured_paise", filter=Q(payments__state="captured", payments__is_unexpected=False))
    )
    for pk in paid.filter(~Q(paid=F("amount_paise")) | Q(paid=None)).values_list("pk", flat=True):
        yield f"booking {pk} takes place, and its sum is not what was paid"
    for payment in Payment.objects.filter(state="captured", is_unexpected=True):
        back = Refund.objects.filter(payment=payment).aggregate(sum=Sum("amount_paise"))["sum"]
        if back != payment.captured_paise:
            yield f"payment {payment.pk} was for nothing, and {back} of {payment.captured_paise} goes back"
    asked = timezone.now() - timedelta(days=1)
    for pk in Refund.objects.filter(state="queued", queued_at__lt=asked).values_list("pk", flat=True):
        yield f"refund {pk} was not made"


def _receipts() -> Iterator[str]:
    """Each series is 1, 2, 3 … without a gap."""
    for row in Receipt.objects.values("kind", "year").annotate(many=Count("pk"), last=Max("sequence")):
        if row["many"] != row["last"]:
            yield f"{row['kind']} of {row['year']}: {row['many']} documents up to number {row['last']}"


def _kept() -> Iterator[str]:
    """What is kept longer than promised."""
    over = timezone.now() - KEPT - LATE
    if links := Link.objects.filter(expires_at__lt=over).count():
        yield f"{links} links are kept too long"
    if unending := Link.objects.filter(expires_at=None, booking__closed_at__lt=over).count():
        yield f"{unending} links of bookings that are closed never expire"
    if Message.objects.filter(settled_at__lt=over, blanked_at=None).exists():
        yield "settled messages still say whom they went to"


def _compared() -> Iterator[str]:
    """Our books against the gateway's, each day."""
    over = timezone.now() - timedelta(days=1) - LATE
    for row in Reconciliation.objects.exclude(completed_at__gte=over):
        yield f"our books were last compared with {row.gateway}'s at {row.completed_at}"
