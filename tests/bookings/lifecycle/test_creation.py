"""Bookings are born in one module, in the state they begin with and as the draft says; nobody else makes one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection

from backend.bookings import policy
from backend.bookings.lifecycle import creation
from backend.bookings.lifecycle.creation import Draft
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, LedgerEntry, Link, Origin
from backend.outbox.models import Message
from backend.people.models import Client
from backend.scheduling import claims
from tests.support import factories, scenarios

DAY = timedelta(days=1)
Birth = Callable[[Client, Draft, datetime], Booking]


def _approved(client: Client, draft: Draft, now: datetime) -> Booking:
    slot = claims.slot_with(factories.make_psychologist(), now + DAY, now + DAY + timedelta(hours=1))
    return creation.build_approved(client, draft, slot, amount_paise=1200_00, now=now)


BIRTHS: dict[State, Birth] = {
    State.DRAFT: lambda client, draft, now: creation.build_draft(client, draft, now=now),
    State.PENDING: lambda client, draft, now: creation.build_pending(
        client, draft, ClosedDay.calendar(), origin=Origin.STAFF, now=now
    ),
    State.APPROVED: _approved,
}
DEADLINES: dict[State, Callable[[datetime], datetime]] = {
    State.DRAFT: lambda now: now + policy.DRAFT_LIFETIME,
    State.PENDING: lambda now: policy.open_time_after(now, policy.ANSWER_WITHIN, ClosedDay.calendar()),
    State.APPROVED: lambda now: now + DAY,
}


@pytest.mark.django_db
def test_an_id_that_another_booking_has_is_drawn_again_and_nothing_else_is_written_twice(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter("AAAAAA" + "AAAAAA" + "AAAAAA" + "BBBBBB")
    monkeypatch.setattr("backend.bookings.models.secrets.choice", lambda _letters: next(drawn))
    first, second = (scenarios.submitted(email, now=now) for email in (scenarios.ASHA, scenarios.RAVI))
    assert [str(one) for one in (first, second)] == ["MS-AAAAAA", "MS-BBBBBB"]
    for one in (first, second):
        assert LedgerEntry.objects.filter(booking=one).count() == 1
        assert Message.objects.filter(booking_id=one.pk).count() == 2
        assert Link.objects.filter(booking=one).count() == 2
    connection.check_constraints()


@pytest.mark.django_db
@pytest.mark.parametrize("state", BIRTHS)
def test_a_booking_is_born_in_its_state_with_the_deadline_of_it(state: State, now: datetime) -> None:
    booking = BIRTHS[state](factories.make_client(now=now), scenarios.draft_of(now=now), now)
    assert booking.pk is None

    creation.insert(booking)

    stored = Booking.objects.get()
    assert (stored.state, stored.due_at, stored.ledger_sequence) == (state, DEADLINES[state](now), 1)
    assert (stored.verified_at is None) == (state is State.DRAFT)


@pytest.mark.django_db
@pytest.mark.parametrize("state", BIRTHS)
def test_it_says_what_the_draft_says(state: State, now: datetime) -> None:
    who = factories.make_psychologist("Dr. Noor Khan")
    draft = scenarios.draft_of(
        now=now, sponsor_code="ACME", preferred_psychologist_id=who.pk, preferred_slot_start=now + 2 * DAY
    )
    client = factories.make_client(now=now)

    creation.insert(BIRTHS[state](client, draft, now))

    stored = Booking.objects.get()
    assert Draft.of(stored) == draft
    assert (stored.client, stored.created_at, stored.consent_given_at) == (client, now, now)


@pytest.mark.django_db
@pytest.mark.parametrize("state", BIRTHS)
def test_what_was_born_goes_on_by_transitions(state: State, now: datetime) -> None:
    booking = BIRTHS[state](factories.make_client(now=now), scenarios.draft_of(now=now), now)
    creation.insert(booking)
    if state is State.DRAFT:
        booking.verify(due_at=now + DAY)
    elif state is State.PENDING:
        booking.approve(due_at=now + DAY)
    else:
        booking.start_payment(due_at=now + DAY)

    booking.save()

    assert Booking.objects.get().state == booking.state != state


def test_no_other_module_of_the_backend_constructs_one() -> None:
    backend = settings.BASE_DIR / "backend"
    makers = {
        path.relative_to(backend).as_posix()
        for path in backend.rglob("*.py")
        if re.search(r"(?<!class )\bBooking\(|Booking\.objects\.\w*create", path.read_text())
    }
    assert makers == {"bookings/lifecycle/creation.py"}
