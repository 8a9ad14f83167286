"""By which provider a mail leaves: the first, or the fallback while the first takes nothing; never by both.

A mail that may have left by one of them is repeated by that one alone, and waits for it. Without a fallback there is
nothing to ask.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from backend.core.errors import OutsideFailure, Permanent, Transient
from backend.outbox import attempts, outlets
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message
from backend.outbox.outlet_models import Outlet, OutletState

log = logging.getLogger(__name__)
LOOK_LASTS = 1.0  # seconds for which a process goes by what it read


class Connection(Protocol):
    """To one provider."""

    def send(self, mail: EmailMultiAlternatives) -> str:
        """The provider's id. Raises OutsideFailure."""


class Route:
    """What one worker process knows of the first, read again each second at most."""

    def __init__(self) -> None:
        self._state: OutletState | None = None
        self._read_at = float("-inf")

    def choose(self, message: Message, *, now: datetime) -> Snooze | None:
        """Write on it by which it leaves, before it is handed over; or it waits for the one that may have had it."""
        if not settings.EMAIL_FALLBACK:
            message.handed_to = Outlet.FIRST
            return None
        is_free, is_given_up = not message.may_have_left, self.is_given_up(now=now)
        if not is_free and message.handed_to == Outlet.FALLBACK:
            return None
        is_first = not is_given_up or self._begins_probe(now=now)
        if not is_first and not is_free:
            return Snooze(now + outlets.PROBE_EVERY)
        message.handed_to = Outlet.FIRST if is_first else Outlet.FALLBACK
        return None

    def _begins_probe(self, *, now: datetime) -> bool:
        if self._state is None or self._state.probe_at is None or self._state.probe_at > now:
            return False
        self._read_at = float("-inf")
        return outlets.begins_probe(now=now)

    def is_given_up(self, *, now: datetime) -> bool:
        """By what was read a moment ago."""
        if time.monotonic() - self._read_at >= LOOK_LASTS:
            self._state, self._read_at = outlets.first(), time.monotonic()
        return outlets.is_given_up(self._state, now=now)

    def note(self, error: OutsideFailure | None) -> None:
        """What the first answered: that it refused a mail for good says nothing of it."""
        was_refused = self._state is not None and self._state.refused_since is not None
        if not settings.EMAIL_FALLBACK or isinstance(error, Permanent) or was_refused == (error is not None):
            return
        if error is None:
            outlets.note_taken()
        else:
            outlets.note_refused(str(error), now=timezone.now())
        self._read_at = float("-inf")


class Pace:
    """A provider's mails a second, all workers together; turns are taken for a second ahead, by one statement."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet, self._left = outlet, 0
        self._next = timezone.now()

    def wait(self) -> Snooze | None:
        """Until a mail may leave; or it is put off, as others have their turns first."""
        per_second = settings.MAIL_PER_SECOND if self._outlet == Outlet.FIRST else settings.EMAIL_FALLBACK_PER_SECOND
        if not per_second:
            return None
        now = timezone.now()
        if not self._left or abs(now - self._next) > timedelta(seconds=3):
            begins_at = outlets.reserve(self._outlet, per_second, per_second=per_second, now=now)
            if begins_at is None:
                return Snooze(now + outlets.WAITS_MOST)
            self._next, self._left = begins_at, per_second
        time.sleep(max(0.0, (self._next - now).total_seconds()))
        self._next, self._left = self._next + timedelta(seconds=1 / per_second), self._left - 1
        return None


class Outlets:
    """Both connections of a worker process."""

    def __init__(self, first: Connection, fallback: Connection) -> None:
        self.route = Route()
        self._first, self._fallback = first, fallback
        self._paces = {outlet: Pace(outlet) for outlet in Outlet}

    def send(self, message: Message, mail: EmailMultiAlternatives) -> Snooze | None:
        """By the one that is written on it. Raises OutsideFailure."""
        waits = self._paces[Outlet(message.handed_to)].wait()
        if waits is not None:
            return waits
        if message.handed_to == Outlet.FALLBACK:
            message.provider_message_id = self._fallback.send(mail)
            return None
        try:
            message.provider_message_id = self._first.send(mail)
        except OutsideFailure as error:
            self.route.note(error)
            if not self._may_go_on(message, error):
                raise
            self._go_on(message, mail)
        else:
            self.route.note(None)
        return None

    def _may_go_on(self, message: Message, error: OutsideFailure) -> bool:
        """Of a probe that surely did not leave: it need not wait."""
        is_of_the_first = settings.EMAIL_FALLBACK and not isinstance(error, Permanent)
        surely_here = error.surely_not_sent and not message.may_have_left
        return bool(is_of_the_first and surely_here and self.route.is_given_up(now=timezone.now()))

    def _go_on(self, message: Message, mail: EmailMultiAlternatives) -> None:
        log.warning("the first mail provider still takes nothing; %s leaves by the fallback", message.uuid)
        message.handed_to = Outlet.FALLBACK
        if not attempts.write([attempts.hand_over(message)]):
            raise Transient("another worker has it by now", surely_not_sent=True)
        message.provider_message_id = self._fallback.send(mail)
