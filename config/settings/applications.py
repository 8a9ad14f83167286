"""What Django is made of here: applications, middleware, templates."""

from __future__ import annotations

INSTALLED_APPS = [
    "backend.desk",  # before the theme, whose frame it mends
    "jazzmin",
    "backend.core.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "workers.beat_app.BeatConfig",
    "simple_history",
    "backend.accounts.passkeys_app.PasskeysConfig",
    "backend.notifications.anymail_app.AnymailConfig",
    "backend.accounts",
    "backend.people",
    "backend.outbox",
    "backend.payments",
    "backend.rooms",
    "backend.webhooks",
    "backend.channels",
    "backend.bookings",
    "backend.audit",
    "backend.notifications",
    "backend.ops",
    "backend.api",
    "workers",
]
MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",  # first, so that every answer carries its header, a crash's too
    "backend.api.middleware.CorrelationIdMiddleware",
    "backend.api.language.LanguageMiddleware",
    "backend.api.middleware.JsonErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "backend.api.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backend.desk.account.middleware.SecondStepMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backend.api.middleware.BoundsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "backend.api.middleware.DatabaseUnavailableMiddleware",
    "backend.core.admin_pages.ForbiddenAsNotFoundMiddleware",
    "backend.api.access_record.AccessRecordMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a missing slash under /api/ is an error in JSON, never a redirect
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
