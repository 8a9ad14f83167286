"""The room at the desk: the psychologist who gives the session enters it by their log-in, and nobody else does."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.conf import LazySettings
from django.urls import reverse
from time_machine import Traveller

from backend.rooms.models import Room
from tests.support import admin_site, jitsi, roles, scenarios
from tests.support.admin_site import page_url

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


def test_the_sessions_psychologist_enters_by_their_log_in_and_nobody_else(
    now: datetime, clock: Traveller, settings: LazySettings
) -> None:
    jitsi.configure(settings)
    mine, other = scenarios.psychologist(), scenarios.psychologist("Dr. Other", email="other@example.org")
    booking = scenarios.confirmed(now=now, who=mine)
    url = reverse("admin:bookings_booking_room", args=[booking.pk])
    psychologist = admin_site.logged_in(roles.account("Psychologist", who=mine))
    assert f'In a room of its own: <a href="{url}">' in psychologist.get(page_url(booking)).content.decode()
    assert "The room opens on" in psychologist.get(url, follow=True).content.decode()
    clock.move_to(booking.slot_start)
    entered = psychologist.get(url)
    assert (entered.status_code, entered["Referrer-Policy"]) == (303, "no-referrer")
    assert "no-store" in entered["Cache-Control"]
    assert jitsi.room_of(entered["Location"]) == Room.objects.get().name
    assert jitsi.claims(entered["Location"])["context"]["user"]["moderator"] == "true"
    for account in (
        roles.account("Psychologist", "other", who=other),
        roles.account("Manager"),
        roles.account("Receptionist"),
    ):
        assert admin_site.logged_in(account).get(url).status_code == 404
    assert url not in admin_site.logged_in(roles.account("Manager", "second")).get(page_url(booking)).content.decode()
