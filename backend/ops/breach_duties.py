"""Who must hear of a breach of personal data, and until when; docs/operations/personal-data-breach.md says what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.core.formatting import short_span


@dataclass(frozen=True)
class Duty:
    """Counted from the instant at which we learnt of it; `within` None: without delay."""

    who: str
    within: timedelta | None
    since: datetime | None = None  # of the law


DUTIES = (
    Duty("CERT-In, incident@cert-in.org.in", timedelta(hours=6)),
    Duty("each person affected", None),
    Duty("Data Protection Board of India, in short", None, datetime(2027, 5, 13, tzinfo=UTC)),
    Duty("Data Protection Board of India, in detail", timedelta(hours=72), datetime(2027, 5, 13, tzinfo=UTC)),
)


def clock(duty: Duty, *, learnt_at: datetime, now: datetime) -> str:
    """One line: who, until when, and what is left."""
    when = "without delay"
    if duty.within is not None:
        ends_at = learnt_at + duty.within
        left = ends_at - now
        how = f"{short_span(left)} left" if left > timedelta(0) else f"over for {short_span(-left)}"
        when = f"until {ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {how}"
    is_early = duty.since is not None and learnt_at < duty.since
    return f"{duty.who}: {when}" + (f" (binds from {duty.since:%d %b %Y})" if is_early else "")
