"""Approving with the first free slot that fits what the visitor asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from backend.bookings.lifecycle.approval import approve
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused
from backend.scheduling.claims import NEARBY_COUNT
from backend.scheduling.suggestions import Suggestion, suggestions

LOOKS = 3  # at what is free, each after all that fitted was lost to others: more is a crowd, and staff better choose
LOST = (Code.SLOT_TAKEN, Code.OUTSIDE_HOURS)  # somebody was faster, or the hours changed meanwhile


def approve_first_fit(booking_id: int, approval: Approval, *, language: str = "", actor: str, now: datetime) -> Booking:
    """As `approve`, with the slot found: of `approval.psychologist_id` alone, if one is named. Not one transaction:
    a slot that is lost in a race costs one try, and the next is taken.

    Refuses: no_free_slot, with the nearest that do not fit; booking_unknown, state_refuses, and what approve refuses.
    """
    seen: list[Suggestion] = []
    for _ in range(LOOKS):
        seen = _look(booking_id, approval, language=language, now=now)
        fitting = [suggestion.slot for suggestion in seen if suggestion.fits]
        if not fitting:
            break
        for slot in fitting:
            found = replace(approval, psychologist_id=slot.psychologist_id, slot_start=slot.start)
            try:
                return approve(booking_id, found, actor=actor, now=now)
            except Refused as refused:
                if refused.code not in LOST:
                    raise
    others = [suggestion.slot for suggestion in seen if not suggestion.fits]
    raise Refused(Code.NO_FREE_SLOT, free_slots=others[:NEARBY_COUNT])


def _look(booking_id: int, approval: Approval, *, language: str, now: datetime) -> list[Suggestion]:
    booking = Booking.objects.filter(pk=booking_id).first()
    if booking is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    if booking.state != State.PENDING:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    return suggestions(booking, now=now, psychologist_id=approval.psychologist_id, language=language, limit=None)
