"""Fixtures of rooms."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from tests.support import jitsi


@pytest.fixture
def jitsi_rooms(settings: LazySettings) -> None:
    """Each session has a room of its own, on a Jitsi server of ours."""
    jitsi.configure(settings)
