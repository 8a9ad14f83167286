"""A second provider: it takes over when the first takes nothing for five minutes, and no mail leaves by both."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.bookings.models import Booking
from backend.core.environment import Misconfigured
from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient
from backend.outbox import outlets
from backend.outbox.models import Message, MessageState, OutletState
from backend.outbox.outlet_models import Outlet
from config import mail as providers
from tests.support import scenarios
from tests.support.mail_sink import Sink
from workers import mail
from workers.mail_outlets import Outlets

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
DOWN = Transient("ConnectionRefusedError", surely_not_sent=True)
REFUSED = AccountTrouble("HTTP 402", surely_not_sent=True)
IN_DOUBT = Transient("timed out")
MINUTE = timedelta(minutes=1)


class Provider:
    """Takes what it is sent, or fails as it is told."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.error: OutsideFailure | None = None

    def send(self, message: Any) -> str:
        if self.error is not None:
            raise self.error
        self.taken.append(message.to[0])
        return f"id-{len(self.taken)}"


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, settings: Any) -> tuple[Provider, Provider]:
    settings.EMAIL_FALLBACK = {"host": "smtp.example.net"}
    first, second = Provider(), Provider()
    monkeypatch.setattr(mail, "_outlets", Outlets(first, second))
    return first, second


def owed(now: datetime, address: str = "asha@example.org") -> Booking:
    return scenarios.submitted(address, now=now)


def drain(at: datetime) -> None:
    mail._outlets.route._read_at = float("-inf")  # some seconds later
    with time_machine.travel(at, tick=False):
        mail.drain()


def state_of(booking: Booking) -> str:
    return str(Message.objects.filter(booking_id=booking.pk).order_by("pk")[0].state)


@pytest.mark.parametrize("error", [DOWN, REFUSED])
def test_the_second_takes_over_after_five_minutes_and_the_first_comes_back(
    error: OutsideFailure, now: datetime, pair: tuple[Provider, Provider]
) -> None:
    first, second = pair
    first.error = error
    owed(now)
    for minute in range(5):
        drain(now + minute * MINUTE)
    assert (first.taken, second.taken) == ([], [])
    drain(now + 8 * MINUTE)
    assert (first.taken, second.taken) == ([], ["asha@example.org"])
    owed(now, "ravi@example.org")
    drain(now + 12 * MINUTE)  # tries the first, which surely did not take it
    assert (first.taken, second.taken[1:]) == ([], ["ravi@example.org"])
    first.error = None
    for number in range(2):
        owed(now, f"new{number}@example.org")
        drain(now + (18 + number) * MINUTE)
    assert first.taken == ["new0@example.org", "new1@example.org"]
    assert OutletState.objects.get().refused_since is None


def test_what_may_have_left_by_the_first_waits_for_it(now: datetime, pair: tuple[Provider, Provider]) -> None:
    first, second = pair
    first.error = IN_DOUBT
    doubtful = owed(now)
    drain(now)
    first.error = DOWN
    other = owed(now, "ravi@example.org")
    for minute in (1, 2, 7, 8, 9):
        drain(now + minute * MINUTE)
    assert second.taken == ["ravi@example.org"]
    assert state_of(other) == MessageState.DONE
    first.error = None
    for minute in (16, 23, 30):
        drain(now + minute * MINUTE)
    assert (first.taken, second.taken) == (["asha@example.org"], ["ravi@example.org"])
    assert state_of(doubtful) == MessageState.DONE


def test_what_may_have_left_by_the_second_is_repeated_by_it(now: datetime, pair: tuple[Provider, Provider]) -> None:
    first, second = pair
    outlets.note_refused("down", now=now - timedelta(minutes=6))
    first.error, second.error = DOWN, IN_DOUBT
    owed(now)
    drain(now)
    assert Message.objects.filter(handed_to=Outlet.FALLBACK, may_have_left=True).count() == 1
    first.error = second.error = None
    outlets.note_taken()
    for minute in (1, 5, 15):
        drain(now + minute * MINUTE)
    assert (first.taken, second.taken) == ([], ["asha@example.org"])


def test_a_mail_that_is_refused_for_good_says_nothing_of_the_provider(
    now: datetime, pair: tuple[Provider, Provider]
) -> None:
    first, _ = pair
    first.error = Permanent("recipient refused", surely_not_sent=True)
    owed(now)
    drain(now)
    assert not OutletState.objects.exists()


def test_without_a_second_nothing_is_asked(
    now: datetime, pair: tuple[Provider, Provider], settings: Any, django_assert_num_queries: Any
) -> None:
    settings.EMAIL_FALLBACK = {}
    message = Message(handed_to="")
    with django_assert_num_queries(0):
        assert mail._outlets.route.choose(message, now=now) is None
        assert mail._outlets.send(message, mail.EmailMultiAlternatives(to=["a@example.org"])) is None


def test_all_workers_together_keep_to_what_a_provider_takes(now: datetime) -> None:
    begins = [outlets.reserve(Outlet.FIRST, 10, per_second=10, now=now) for _ in range(4)]
    assert begins == [now, now + timedelta(seconds=1), now + timedelta(seconds=2), None]
    assert outlets.reserve(Outlet.FALLBACK, 10, per_second=10, now=now) == now
    later = now + timedelta(seconds=2)
    assert outlets.reserve(Outlet.FIRST, 10, per_second=10, now=later) == now + timedelta(seconds=3)


def test_a_mail_whose_turn_is_not_near_is_put_off(
    now: datetime, pair: tuple[Provider, Provider], settings: Any
) -> None:
    settings.MAIL_PER_SECOND = 1
    for _ in range(3):
        outlets.reserve(Outlet.FIRST, 1, per_second=1, now=now)
    booking = owed(now)
    drain(now)
    assert (pair[0].taken, state_of(booking)) == ([], MessageState.WAITING)
    assert Message.objects.filter(booking_id=booking.pk, attempts=0).exists()
    drain(now + 4 * timedelta(seconds=1))
    assert pair[0].taken == ["asha@example.org"]


def test_the_second_is_spoken_to_with_its_own_variables(now: datetime, sink: Sink, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp.first.example", 1
    login = {"EMAIL_FALLBACK_HOST_USER": "", "EMAIL_FALLBACK_HOST_PASSWORD": ""}
    settings.EMAIL_FALLBACK = providers.fallback("127.0.0.1", sink.port, "none", login)
    connection = mail.MailConnection(mail._fallback)
    connection.send(mail.EmailMultiAlternatives("Hello", "Text", "us@example.org", ["asha@example.org"]))
    connection.close()
    assert sink.recipients == [["asha@example.org"]]


def test_the_second_has_no_half_log_in_and_none_in_clear() -> None:
    given = {"EMAIL_FALLBACK_HOST_USER": "us", "EMAIL_FALLBACK_HOST_PASSWORD": ""}
    with pytest.raises(Misconfigured, match="EMAIL_FALLBACK_HOST_PASSWORD is not set"):
        providers.refuse_clear_password("tls", given, prefix="EMAIL_FALLBACK_")
    given["EMAIL_FALLBACK_HOST_PASSWORD"] = "secret"
    with pytest.raises(Misconfigured, match="EMAIL_FALLBACK_SECURITY=none"):
        providers.refuse_clear_password("none", given, prefix="EMAIL_FALLBACK_")
