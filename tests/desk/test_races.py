"""Many of the desk at once, through HTTP on PostgreSQL: a page that was opened decides once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from backend.bookings.lifecycle import cancellation
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.payments.models import Refund
from tests.support import scenarios
from tests.support.admin_site import action_url, caller_form, form_of, new_booking_url, owner, session_form, written

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
CLICKS = 20


def pressed(server: str, path: str, form: dict[str, str], desk: Browser) -> requests.Response:
    """The answer to a form that somebody who is logged in sends."""
    cookies = {"sessionid": desk.cookies["sessionid"].value, "csrftoken": "c" * 32}
    sent = {**form, "csrfmiddlewaretoken": "c" * 32}
    return requests.post(f"{server}{path}", data=sent, cookies=cookies, timeout=60, allow_redirects=False)


def clicks(server: str, path: str, form: dict[str, str], desk: Browser) -> Counter[int]:
    """The statuses of CLICKS simultaneous sendings of one form."""
    with ThreadPoolExecutor(CLICKS) as many:
        return Counter(many.map(lambda _: pressed(server, path, form, desk).status_code, range(CLICKS)))


def test_a_partial_refund_that_is_sent_many_times_at_once_is_given_once(server: str, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    booking = scenarios.confirmed(now=timezone.now())
    statuses = clicks(server, action_url(booking, "refund"), form_of(booking, amount="10"), owner())
    assert statuses == {302: 1, 409: CLICKS - 1}
    assert [refund.amount_paise for refund in Refund.objects.all()] == [1000]


def test_a_callers_request_that_is_sent_many_times_at_once_is_recorded_once(server: str) -> None:
    today = timezone.localdate().isoformat()
    assert clicks(server, new_booking_url(), caller_form(preferred_date=today), owner()) == {302: CLICKS}
    assert Booking.objects.count() == 1


def test_one_of_many_approves(server: str) -> None:
    now = timezone.now()
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    start = timezone.localtime(scenarios.slot_tomorrow(now)).strftime("%Y-%m-%d %H:%M")
    statuses = clicks(server, action_url(booking, "approve"), session_form(booking, who, start), owner())
    assert statuses == {302: 1, 409: CLICKS - 1}
    assert SlotClaim.objects.count() == 1


def test_of_two_who_decide_differently_at_once_the_second_reads_who_was_first(server: str) -> None:
    now = timezone.now()
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    start = timezone.localtime(scenarios.slot_tomorrow(now)).strftime("%Y-%m-%d %H:%M")
    desks = {"asha": owner("asha"), "ravi": owner("ravi")}
    forms = {
        "asha": ("approve", session_form(booking, who, start)),
        "ravi": ("reject", form_of(booking, note="We are full.")),
    }
    with ThreadPoolExecutor(2) as two:
        answers = {
            name: two.submit(pressed, server, action_url(booking, verb), form, desks[name])
            for name, (verb, form) in forms.items()
        }
    statuses = {name: answer.result().status_code for name, answer in answers.items()}
    [first] = [name for name, status in statuses.items() if status == 302]
    [second] = set(forms) - {first}
    assert statuses[second] == 409
    assert first in answers[second].result().text
    decided = LedgerEntry.objects.filter(booking=booking, source=State.PENDING).exclude(target=State.PENDING)
    assert [entry.actor for entry in decided] == [f"staff:{first}"]


def test_preview_many_at_once_beside_decisions_takes_its_locks_in_order(server: str) -> None:
    """Two requests are foretold crosswise, with two psychologists, while colleagues try to approve the very same.

    Nobody can: both visitors asked to cancel, which is seen only under all the locks.
    """
    now = timezone.now()
    desk, who = owner(), [scenarios.psychologist(name, email=f"{name}@example.org") for name in ("a", "b")]
    rows = [scenarios.pending(f"f{n}@example.org", now=now) for n in range(2)]
    for row in rows:
        cancellation.request_cancellation(row.acknowledgement_id, now=now)
    start = scenarios.slot_tomorrow(now)
    typed_start = timezone.localtime(start).strftime("%Y-%m-%d %H:%M")
    url = f"{reverse('admin:bookings_booking_many', args=['approve'])}?ids={rows[0].pk},{rows[1].pk}"
    seen = {f"seen-{row.pk}": str(scenarios.again(row).ledger_sequence) for row in rows}
    work: list[tuple[str, dict[str, str]]] = []
    for n in range(CLICKS):
        pairs = list(zip(rows, who if n % 2 else who[::-1], strict=True))
        slots = {f"slot-{row.pk}": f"{one.pk}@{start.isoformat()}" for row, one in pairs}
        work.append((url, {**slots, **seen, "preview": "1"}))
        row, one = pairs[n // 2 % 2]
        work.append((action_url(row, "approve"), session_form(row, one, typed_start)))
    before = written()
    with ThreadPoolExecutor(CLICKS) as many:
        answers = list(many.map(lambda one: pressed(server, *one, desk).status_code, work))
    assert Counter(answers) == {200: CLICKS, 409: CLICKS}
    assert written() == before
