"""A small storm: `python -m tests.texts` blows the large one."""

from __future__ import annotations

import os

import pytest
from django.conf import settings

from tests.texts.plan import Plan
from tests.texts.storm import blow
from tests.texts.verdict import as_text, verdict
from workers import schedule

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
SMALL = Plan(
    people=30,
    within=12,
    fallback_after=12,
    outage=3,
    kills=("calls",),
    killed_after=8,
    kills_most=2,
    workers=1,
    calm=90,
)


@pytest.mark.timeout(400)  # seconds, on a busy machine; a quiet one takes forty
def test_each_is_told_once_by_one_channel_with_one_fall_back_at_most() -> None:
    schedule.install(settings.BEAT_TABLE)
    found = verdict(blow(SMALL, {"ENV_FILE": os.devnull, "REDIS_URL": "", "DATABASE_POOL": "0"}))
    assert all(figure.holds for figure in found), as_text(found)
