"""The probe for supervisors: what `ops_beat_check` says, without the application."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from backend.ops import health, heartbeats
from backend.ops.models import ProcessRole
from workers import check

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]
LIMIT = timedelta(seconds=check.SILENT_AFTER)
SECOND = timedelta(seconds=2)


def test_it_draws_the_line_where_the_operators_pages_do() -> None:
    assert LIMIT == health.SILENT_AFTER


@pytest.mark.parametrize(("age", "code"), [(LIMIT - SECOND, 0), (LIMIT + SECOND, 1)])
def test_a_sign_of_life_counts_for_half_a_minute(age: timedelta, code: int, settings) -> None:
    settings.NODE_NAME = "here"
    heartbeats.record_heartbeat("mail@here", ProcessRole.MAIL, now=timezone.now() - age)
    heartbeats.record_heartbeat("beat@elsewhere", ProcessRole.BEAT, now=timezone.now() - age)
    assert check.main(["mail"]) == code
    assert check.main(["mail@here"]) == code
    assert check.main(["beat"]) == code  # one that ticks is enough
    assert check.main(["timers"]) == 1
