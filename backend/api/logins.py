"""How often passwords are looked at, whichever door they are typed at: before any of Django's back ends sees one.

A password is counted before it is looked at, and given back by the log-in that it leads to. So of a thousand at once no
more are looked at than of a thousand one after the other, and one that opens nothing stays counted.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from backend.api import throttle
from backend.audit import records
from backend.audit.models import Kind
from backend.bookings import actors
from backend.core import networks
from backend.core.errors import Code, Refused

FAILURES_PER_NETWORK = 20  # an hour; a desk that shares an address and mistypes stays below it
FAILURES_PER_ACCOUNT = 20  # an hour, from all networks; more is an attack from many
FAILURES_IN_ATTACK = 2  # an hour, at this account from one network: whoever knows the password comes in
_TAKEN = "logins_counted"  # on the request, until its log-in


class LoginLimits:
    """The first of AUTHENTICATION_BACKENDS. It knows no account: it lets the next one look, or refuses."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **_given: object) -> None:
        """Refuses: too_many_logins, with `retry_after`, an unknown name alike. Without a request it is a command."""
        if request is not None:
            take(request, username or "", now=timezone.now())


def take(request: HttpRequest, username: str, *, now: datetime) -> None:
    """Counts a password for its network, its account, and both together. Refuses: as above."""
    network = networks.client_network(request)
    account, both = _key("account", username), _key("both", username, network)
    is_attack = throttle.counted(account, now=now) >= FAILURES_PER_ACCOUNT
    limits = {
        throttle.LOGIN + network: FAILURES_PER_NETWORK,
        both: FAILURES_IN_ATTACK if is_attack else FAILURES_PER_NETWORK,
    }
    for key, most in limits.items():
        if not throttle.take(key, most, now=now):
            _refuse(key, username, now=now)
    throttle.count(account, now=now)
    setattr(request, _TAKEN, [*limits, account])


def give_back(request: HttpRequest | None, **_signal: object) -> None:
    """It was right with all the rest: whoever typed it is in, or is still who they were."""
    for key in vars(request).pop(_TAKEN, ()) if request is not None else ():
        throttle.give_back(key, now=timezone.now())


def _refuse(key: str, username: str, *, now: datetime) -> None:
    if throttle.is_first_refusal(key, now=now):
        found = User.objects.filter(username=username).values_list("pk", flat=True)
        records.write(Kind.LOGINS_STOPPED, {"user.login": list(found)}, actor=actors.STRANGER, now=now)
    raise Refused(Code.TOO_MANY_LOGINS, retry_after=throttle.until_next_hour(now))


def _key(kind: str, *parts: str) -> str:
    """No name that was typed stands in the table; unknown ones are counted as known ones are."""
    return throttle.LOGIN + salted_hmac(f"logins.{kind}", "\n".join(parts)).hexdigest()[:32]
