"""What a stranger can make us send: bounded per client, per mailbox, per booking, and for all together last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import Message, MessageState
from backend.people.models import Enquiry
from tests.support import api, scenarios
from tests.support.clients import forwarded_for
from tests.support.database_rows import everything

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

STRANGER, OTHER = "198.51.100.1", "198.51.100.2"
WORDS = {"text": "words"}


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def send(path: str, body: dict[str, object], client: str = STRANGER) -> HttpResponse:
    return api.request("POST", path, data=body, environ={"REMOTE_ADDR": client})


def draft(now: datetime, address: str, client: str = STRANGER) -> HttpResponse:
    return send(api.DRAFT, {**api.form(now), "email": address}, client)


def fates(*kinds: Notice) -> Counter[str]:
    return Counter(Message.objects.filter(kind__in=kinds).values_list("state", flat=True))


# -- per client --------------------------------------------------------------------------------------------------------


def test_a_client_that_asked_for_too_many_mails_is_refused_alike_for_every_address_and_id(
    now: datetime, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = scenarios.pending("known@example.org", now=now)
    monkeypatch.setattr(policy, "STRANGER_REQUESTS_PER_HOUR", 3)
    draft(now, "a@example.org")
    send(api.STATUS, {"email": "known@example.org"})
    send(api.ASK_TO_CANCEL, {"acknowledgement_id": "MS-000000"})
    before = everything()
    asked: list[Callable[[], HttpResponse]] = [
        *(lambda who=who: draft(now, who) for who in ("known@example.org", "new@example.org")),  # type: ignore[misc]
        *(lambda who=who: send(api.STATUS, {"email": who}) for who in ("known@example.org", "b@example.org")),  # type: ignore[misc]
        *(lambda key=key: send(api.ASK_TO_CANCEL, {"acknowledgement_id": key}) for key in (str(booking), "MS-000000")),  # type: ignore[misc]
    ]
    for ask in asked:
        refused = ask()
        api.error(refused, 429, "too_many_requests")
        assert refused["Retry-After"] == "1800"  # it is half past
    assert everything() == before
    api.done(draft(now, "new@example.org", OTHER), 201)
    clock.move_to(now + timedelta(minutes=30))
    api.done(draft(now, "new@example.org"), 201)


def test_what_is_malformed_counts_for_nothing(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "STRANGER_REQUESTS_PER_HOUR", 1)
    for _ in range(3):
        api.error(draft(now, "no address"), 400, "invalid")
    api.done(draft(now, "asha@example.org"), 201)


def test_one_client_does_not_close_the_contact_form_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "ENQUIRIES_PER_HOUR", 2)
    for _ in range(2):
        api.done(send(api.SEND_EMAIL, WORDS), 202)
    api.error(send(api.SEND_EMAIL, WORDS), 429, "too_many_requests")
    api.done(send(api.SEND_EMAIL, WORDS, OTHER), 202)


def test_visitors_behind_one_proxy_are_counted_each_by_itself(
    now: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(policy, "STRANGER_REQUESTS_PER_HOUR", 1)
    for name in ("a", "b"):  # as the storm and the demo send them
        headers = {key.lower(): value for key, value in forwarded_for(name).items()}
        body = {**api.form(now), "email": f"{name}@example.org"}
        api.done(api.request("POST", api.DRAFT, data=body, **headers), 201)
        api.error(api.request("POST", api.DRAFT, data=body, **headers), 429, "too_many_requests")


# -- per mailbox -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("victim+7@example.org", "victim@example.org"),
        ("victim+a+b@example.org", "victim@example.org"),
        ("victim@example.org", "victim@example.org"),
        ("+x@example.org", "+x@example.org"),
        ('"a+b@c"@example.org', '"a@example.org'),
        ("", ""),
    ],
)
def test_an_address_with_a_plus_counts_for_the_mailbox_that_it_leads_to(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox


def test_a_mailbox_is_not_bombed_by_plus_tags(now: datetime) -> None:
    for number in range(6):
        api.done(draft(now, f"victim+{number}@example.org", f"198.51.100.{number}"), 201)
    assert fates(Notice.DRAFT_SUBMITTED) == {MessageState.WAITING: 3, MessageState.SUPPRESSED: 3}
    assert set(Booking.objects.values_list("email", flat=True)) == {f"victim+{n}@example.org" for n in range(6)}
    draft(now, "victim2@example.org", OTHER)
    assert fates(Notice.DRAFT_SUBMITTED)[MessageState.WAITING] == 4


def test_an_inbox_of_staff_takes_so_many_and_what_more_comes_is_kept(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bookings = [scenarios.pending(f"v{number}@example.org", now=now) for number in range(2)]
    monkeypatch.setattr(policy, "STAFF_MAILS_PER_HOUR", 2)
    for booking in bookings:
        send(api.ASK_TO_CANCEL, {"acknowledgement_id": str(booking)})
    api.done(send(api.SEND_EMAIL, WORDS), 202)
    assert Enquiry.objects.count() == 1
    assert fates(Notice.STAFF_CANCELLATION_REQUESTED) == {MessageState.WAITING: 2}
    assert fates(Notice.STAFF_ENQUIRY_RECEIVED) == {MessageState.SUPPRESSED: 1}


# -- per booking -------------------------------------------------------------------------------------------------------


def test_a_known_id_floods_neither_staff_nor_the_ledger(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    answers = {
        send(api.ASK_TO_CANCEL, {"acknowledgement_id": str(booking)}, f"198.51.100.{n}").content for n in range(9)
    }
    assert len(answers) == 1
    assert fates(Notice.STAFF_CANCELLATION_REQUESTED) == {MessageState.WAITING: policy.CANCEL_LINKS_PER_HOUR}
    assert LedgerEntry.objects.filter(intent=Intent.REQUEST_CANCELLATION).count() == policy.CANCEL_LINKS_PER_HOUR
