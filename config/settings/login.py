"""How people log in, and how long that lasts."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.core import environment as env
from config.settings.deployment import PRACTICE_NAME, PUBLIC_URL

AUTHENTICATION_BACKENDS = [
    "backend.api.logins.LoginLimits",  # first: it refuses before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "backend.accounts.menu.MenuPermissions",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [  # length and what others take, too; never a rule of characters: NIST SP 800-63B-4, 3.1.1.2
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "backend.accounts.common_passwords.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # the theme's login page forgets to say where to go on
SESSION_ENGINE = "backend.accounts.sessions"
LOGIN_IDLE = env.duration("LOGIN_IDLE", "a log-in that nobody uses ends after this", default="15m", may_be_zero=False)
LOGIN_LONGEST = env.duration(
    "LOGIN_LONGEST",
    "a log-in ends after this, used or not",
    default="8h",
    may_be_zero=False,
)
LOGIN_FRESH = env.duration(
    "LOGIN_FRESH",
    "so long after password and second factor were proved, exports, accounts and roles do not ask for them again",
    default="10m",
    may_be_zero=False,
)
ENROLMENT_LINK_LIFETIME = env.duration(
    "ENROLMENT_LINK_LIFETIME",
    "how long a one-time link that sets up an account works",
    default="72h",
    may_be_zero=False,
)
SESSION_COOKIE_AGE = int(LOGIN_LONGEST.total_seconds())
OTP_WEBAUTHN_RP_ID = urlsplit(PUBLIC_URL).hostname or ""  # passkeys belong to this name; another one needs new passkeys
OTP_WEBAUTHN_RP_NAME = PRACTICE_NAME
OTP_WEBAUTHN_ALLOWED_ORIGINS = ["/".join(PUBLIC_URL.split("/")[:3]).lower()]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
PASSKEYS_OFFERED = PUBLIC_URL.startswith("https://") or OTP_WEBAUTHN_RP_ID == "localhost"
# its library refuses other origins as insecure; browsers have no passkeys there, and no page offers them
SILENCED_SYSTEM_CHECKS = [] if PASSKEYS_OFFERED else ["otp_webauthn.E031"]
