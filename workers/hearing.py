"""What a worker hears, and what its silence means. All instants are of the monotonic clock, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

QUIET_AFTER = 5.0  # seconds without any message, more than between two wake-ups of beat: then it calls to itself
DEAF_AFTER = 15.0  # seconds more in which what the broker took from it did not come
DEAF_WHILE_CONNECTING = 60.0  # the same while Celery connects anew, which it tries every 30 s at the latest
WORKS_AT_MOST = 150.0  # seconds: Celery ends a drain of mails after 120, all else after 60
ALONE_AFTER = 15.0  # seconds without a wake-up: beat is gone, or the broker. Half of what makes a process silent


@dataclass
class Hearing:
    """When the worker last heard something."""

    heard_at: float
    woken_at: float  # by a wake-up: an echo is none
    unanswered_since: float | None = None  # the first message to itself that the broker took, and that did not come
    work_ends_by: float = 0.0  # what Celery believes to be in hand later than this is not

    def heard(self, now: float) -> None:
        """Any message came."""
        self.heard_at, self.unanswered_since = now, None

    def woken(self, now: float) -> None:
        """A wake-up came."""
        self.heard(now)
        self.woken_at, self.work_ends_by = now, now + WORKS_AT_MOST

    def at_work(self, now: float) -> None:
        """A wake-up is in hand: whoever works need not listen."""
        if now < self.work_ends_by:
            self.heard(now)
            self.woken_at = now

    def called(self, now: float, *, is_taken: bool) -> None:
        """It sent itself a message; the broker took it, or did not answer."""
        if not is_taken:
            self.unanswered_since = None
        elif self.unanswered_since is None:
            self.unanswered_since = now

    def is_quiet(self, now: float) -> bool:
        """Time to call to itself."""
        return now - self.heard_at >= QUIET_AFTER

    def is_deaf(self, now: float, *, is_connected: bool) -> bool:
        """The broker works, and this worker does not hear it."""
        limit = DEAF_AFTER if is_connected else DEAF_WHILE_CONNECTING
        return self.unanswered_since is not None and now - self.unanswered_since >= limit

    def is_woken(self, now: float) -> bool:
        """Somebody wakes it."""
        return now - self.woken_at < ALONE_AFTER

    def is_alone(self, now: float) -> bool:
        """Nobody wakes it, and it is not about to be found deaf."""
        return not self.is_woken(now) and self.unanswered_since is None
