"""Language and time."""

from __future__ import annotations

from django.conf.locale import LANG_INFO

from backend.core import environment as env
from config.settings.deployment import PRACTICE_TIME_ZONE
from config.settings.env_file import BASE_DIR

LANGUAGE_CODE = "en"  # of the sources, and of the staff's pages
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "backend" / "locale"]
# what visitors may choose: a language is offered as soon as it has its file
_TRANSLATED = sorted(path.parts[-3] for path in LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.mo"))
LANGUAGES = [(code, str(LANG_INFO[code]["name_local"])) for code in (LANGUAGE_CODE, *_TRANSLATED)]
PRACTICE_LANGUAGE = env.choice(
    "PRACTICE_LANGUAGE",
    "of mails and pages for visitors who chose none",
    tuple(code for code, _ in LANGUAGES),
    default=LANGUAGE_CODE,
)
LANGUAGE_COOKIE_NAME = "language"
USE_TZ = True
TIME_ZONE = PRACTICE_TIME_ZONE  # what staff see in the admin; instants are stored in UTC
