"""The journeys of the demo; a further one is a function in one of these modules and its line in JOURNEYS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.demo.journeys import cancelling, front_desk, happy_path, paying, rebooking, sponsored
from tests.demo.walk import Walk


@dataclass(frozen=True)
class Journey:
    """What is walked, and where it can be."""

    walk: Callable[[Walk], None]
    refunds: str = ""  # what REFUND_ON_VISITOR_CANCELLATION must say; empty: anything
    needs_open_day: bool = False  # staff's deadlines must be able to pass today


JOURNEYS: dict[str, Journey] = {
    "paid": Journey(happy_path.paid_session),
    "lapsed": Journey(happy_path.lapsed_draft),
    "refunded": Journey(cancelling.cancelled_with_refund, refunds="full"),
    "unrefunded": Journey(cancelling.cancelled_without_refund, refunds="none"),
    "short": Journey(cancelling.cancelled_at_short_notice),
    "declined": Journey(paying.declined_at_first),
    "late": Journey(paying.paid_late),
    "too late": Journey(paying.paid_too_late),
    "desk": Journey(front_desk.paid_at_the_desk),
    "rejected": Journey(front_desk.rejected),
    "unanswered": Journey(front_desk.unanswered, needs_open_day=True),
    "alternative": Journey(rebooking.alternative_taken),
    "moved": Journey(rebooking.moved_by_the_visitor),
    "sponsored": Journey(sponsored.sponsored),
    "caller": Journey(front_desk.created_for_a_caller),
}
