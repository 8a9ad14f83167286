"""Fixtures of rooms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from backend.rooms import zoom
from tests.support import fake_zoom, jitsi
from tests.support.fake_zoom import FakeZoom


@pytest.fixture
def jitsi_rooms(settings: LazySettings) -> None:
    """Each session has a room of its own, on a Jitsi server of ours."""
    jitsi.configure(settings)


@pytest.fixture
def zoom_rooms(settings: LazySettings) -> Iterator[FakeZoom]:
    """Each session has a meeting of its own, at a Zoom whose account has Dr. Meera."""
    zoom._tokens.forget()
    with fake_zoom.serving("meera@example.org") as fake:
        fake.configure(settings)
        yield fake
