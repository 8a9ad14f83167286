"""The privacy notice: what somebody accepted is found again, word for word."""

from __future__ import annotations

import hashlib

import pytest

from backend.people.privacy_notice import IN_FORCE, NOTICES, NoticeVersion

pytestmark = pytest.mark.sqlite_only
PUBLISHED = {  # one more with each version; none is ever changed
    "2026-11-28": "3cdae546cb04a104c3d7e63a59334c3d6c343bbf02b2b8c97d1f1075e1dbfaf6",
    "2026-11-29": "4acd92f0bc490a872adf7451362a3323a2c691015b9d7a201e2330fc46f04dc7",
}


def test_a_published_version_keeps_its_words() -> None:
    digests = {str(version): hashlib.sha256(repr(notice).encode()).hexdigest() for version, notice in NOTICES.items()}
    assert digests == PUBLISHED


def test_the_last_version_is_in_force() -> None:
    assert IN_FORCE.version == max(NoticeVersion)
    assert all(notice.version == version for version, notice in NOTICES.items())
    assert set(NOTICES) == set(NoticeVersion)
