"""Of the reference: Django and DRF with what the work needs, and no more. `config.web` serves it, as it serves us."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

SECRET_KEY = "of nobody"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["rest_framework", "tests.bench.reference"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.bench.reference.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = False
DATABASES = {"default": {**dj_database_url.parse(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": None}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
_TEMPLATES = Path(__file__).parents[3] / "backend" / "notifications" / "templates"  # its mail is ours
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [_TEMPLATES]}]
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING"}}

# what config.web reads
MAX_BODY_BYTES = 128 * 1024
DATABASE_POOL = 8
