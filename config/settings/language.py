"""Language and time."""

from __future__ import annotations

from config.settings.deployment import PRACTICE_TIME_ZONE

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = PRACTICE_TIME_ZONE  # what staff see in the admin; instants are stored in UTC
