"""The WSGI application, which config/web serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from backend.core import loading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with loading.for_good():
    application = get_wsgi_application()
    _ = get_resolver().url_patterns  # load the views now, so that no visitor waits for them
