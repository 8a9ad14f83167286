"""Undo at the desk: one button on the booking's page, as long as nobody was told."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from django.test import Client as Browser

from backend.bookings import policy
from backend.bookings.machine import State
from tests.support import scenarios
from tests.support.action_cases import a_note, called_off, somebody
from tests.support.admin_site import action_url, clerk, form_of, page_url

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


@pytest.mark.parametrize(("name", "typed"), [("approve", somebody), ("reject", a_note), ("cancel", called_off)])
def test_each_decision_is_undone_with_one_press(
    name: str, typed, now: datetime, clock: time_machine.Coordinates, desk: Browser
) -> None:
    booking = scenarios.pending(now=now)
    done = desk.post(action_url(booking, name), typed(booking), follow=True).content.decode()
    assert "Until 10:01:00 it can be undone." in done
    assert f'<a href="{action_url(booking, "undo")}">Undo</a>' in done
    answer = desk.post(action_url(booking, "undo"), form_of(booking), follow=True)
    assert scenarios.again(booking).state == State.PENDING
    assert f"{booking} is Pending. Mails: none." in answer.content.decode()


def test_after_the_window_the_page_offers_no_undo_and_the_press_changes_nothing(
    now: datetime, clock: time_machine.Coordinates, desk: Browser
) -> None:
    booking = scenarios.pending(now=now)
    desk.post(action_url(booking, "reject"), a_note(booking))
    clock.move_to(now + policy.UNDO_WINDOW)
    assert "it can be undone" not in desk.get(page_url(booking)).content.decode()
    late = desk.post(action_url(booking, "undo"), form_of(booking))
    assert late.status_code == 409
    assert "can no longer be undone" in late.content.decode()
    assert scenarios.again(booking).state == State.REJECTED


def test_who_declined_a_request_that_nobody_has_can_undo_that_and_a_colleague_cannot(
    now: datetime, clock: time_machine.Coordinates
) -> None:
    booking = scenarios.pending(now=now)
    permissions = ("view_own_booking", "change_own_booking", "view_unassigned_booking")
    mine, colleagues = clerk("mine", *permissions), clerk("colleague", *permissions)
    mine.post(action_url(booking, "reject"), a_note(booking))
    assert colleagues.post(action_url(booking, "undo"), form_of(booking)).status_code == 404
    assert mine.post(action_url(booking, "undo"), form_of(booking)).status_code == 302
    assert scenarios.again(booking).state == State.PENDING
