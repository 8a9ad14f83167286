"""The gateway's own books, held against what our database says of money."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from django.conf import settings

from backend.bookings.models import Booking, LedgerEntry
from backend.payments.models import InboxEvent, Payment, Refund
from tests.chaos.books import Books
from tests.chaos.figures import Figure, none_of, percentile
from tests.support import discretion


def figures(books: Books, gateway: str) -> list[Figure]:
    took = [seconds * 1000 for seconds in books.took]
    names = (settings.PRACTICE_NAME, settings.PRACTICE_LEGAL_NAME)
    return [
        Figure("captures / refunds at the gateway", f"{len(books.captures)} / {len(books.refunds)}"),
        none_of("captures neither booked nor refunded", list(_unbooked(books, gateway))),
        none_of("booked, and not paid at the gateway", list(_unpaid(books, gateway))),
        none_of("refunds made twice, or by us alone, or by the gateway alone", list(_refunds(books, gateway))),
        none_of("events that the gateway told, and nobody knows of", list(_lost_events(books, gateway))),
        none_of("pages made beside an open one of the same booking", books.doubles),
        none_of("words that a gateway must not learn", discretion.told(books.sent, words=names)),
        Figure("kept in quarantine", _quarantined()),
        Figure(
            "an event's answer p50 / p99 / max",
            f"{percentile(took, 0.5):.0f} / {percentile(took, 0.99):.0f} / {max(took, default=0):.0f} ms ({len(took)})",
        ),
    ]


def _unbooked(books: Books, gateway: str) -> Iterator[str]:
    """Captured by the gateway, and neither a booking was confirmed by it nor was it given back."""
    payments = {payment.capture_id: payment for payment in _captured(gateway)}
    given_back: dict[str, int] = defaultdict(int)
    for refund in books.refunds:
        given_back[refund.capture] += refund.paise
    confirmed = set(LedgerEntry.objects.filter(target="CONFIRMED").values_list("booking_id", flat=True))
    for capture in books.captures:
        payment = payments.get(capture.id)
        if payment is None:
            yield f"{capture.reference}: no payment of ours has the capture {capture.id}"
        elif payment.captured_paise != capture.paise:
            yield f"{capture.reference}: {capture.paise} were captured, and we call it {payment.captured_paise}"
        elif payment.is_unexpected and given_back[capture.id] != capture.paise:
            yield f"{capture.reference}: unexpected, and {given_back[capture.id]} of {capture.paise} came back"
        elif not payment.is_unexpected and payment.booking_id not in confirmed:
            yield f"{capture.reference}: expected, and its booking was never confirmed"


def _unpaid(books: Books, gateway: str) -> Iterator[str]:
    """We say that it is paid, and the gateway has no such capture; or a session takes place that nobody paid."""
    there = {capture.id for capture in books.captures}
    paid = set()
    for payment in _captured(gateway):
        if payment.capture_id not in there:
            yield f"{payment.reference}: captured by {payment.capture_id!r}, which the gateway does not know"
        elif not payment.is_unexpected:
            paid.add(payment.booking_id)
    taking_place = Booking.objects.filter(state__in=["CONFIRMED", "COMPLETED"])
    for pk in set(taking_place.values_list("pk", flat=True)) - paid:
        yield f"booking {pk} takes place, and nothing was captured for it"


def _captured(gateway: str) -> list[Payment]:
    return list(Payment.objects.filter(gateway=gateway, state="captured"))


def _refunds(books: Books, gateway: str) -> Iterator[str]:
    """By our references: each once, and the same sums on both sides."""
    there = {refund.reference: refund for refund in books.refunds}
    for reference, times in Counter(refund.reference for refund in books.refunds).items():
        if times > 1:
            yield f"{reference}: made {times} times"
    ours = Refund.objects.filter(payment__gateway=gateway).select_related("payment")
    known = {refund.reference: refund for refund in ours}
    for reference in there.keys() - known.keys():
        yield f"{reference or 'a refund without our reference'}: made by the gateway alone"
    for reference, refund in known.items():
        made = there.get(reference)
        if made is not None and (made.capture, made.paise) != (refund.payment.capture_id, refund.amount_paise):
            yield f"{reference}: {made.paise} of {made.capture} there, {refund.amount_paise} in our books"
        elif (made is not None) != (refund.state == "done"):
            yield f"{reference}: we call it {refund.state}, and the gateway {'made it' if made else 'knows of none'}"


def _lost_events(books: Books, gateway: str) -> Iterator[str]:
    """It was answered with a 2xx, so it never comes again."""
    rows = InboxEvent.objects.filter(gateway=gateway)
    applied_at = dict(rows.values_list("event_id", "applied_at"))
    for event_id in books.taken:
        if applied_at.get(event_id) is None:
            yield f"{event_id}: {'kept, and never applied' if event_id in applied_at else 'not kept'}"


def _quarantined() -> str:
    whys = InboxEvent.objects.filter(result="quarantined").values_list("why", flat=True)
    return ", ".join(f"{count} {what}" for what, count in Counter(map(_kind, whys)).items()) or "0"


def _kind(why: str) -> str:
    """The sentence without its ids."""
    return " ".join(word for word in why.split() if not any(letter.isdigit() for letter in word))[:60]
