"""The page of one closed day."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from backend.bookings.models import ClosedDay
from tests.support.admin_site import page_url

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


def test_a_day_that_is_neither_a_weekday_nor_a_date_is_refused_in_words(desk: Browser) -> None:
    day = ClosedDay.objects.create(weekday=6)
    page = desk.post(page_url(day), {"weekday": "", "date": "", "note": "x"})
    assert page.status_code == 200
    assert "Give either a weekday or a date." in page.content.decode()
