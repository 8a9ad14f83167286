"""What protects requests on their way, and cookies in the browser."""

from __future__ import annotations

from config.settings.deployment import PUBLIC_URL, TRUSTED_PROXIES

_https = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = _https and TRUSTED_PROXIES > 0
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # a mail's link to a booking opens it for who is logged in
if _https:  # a browser takes the prefix from this host alone, for all of it, and over https
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # they name bookings: none in a cookie
SECURE_REFERRER_POLICY = "same-origin"  # with "no-referrer" a browser sends Origin: null, which CSRF refuses
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_COOKIE_AGE = None  # seconds; it goes with the browser: a visitor's machine keeps no trace of us for a year
CSRF_FAILURE_VIEW = "backend.api.visit.page.csrf_failure"
