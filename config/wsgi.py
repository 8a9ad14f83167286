"""The WSGI application, which config/web serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
_ = get_resolver().url_patterns  # load the views now, so that no visitor waits for them
# What is loaded by now lives as long as the process: a collection of garbage would walk it for 100 ms and free nothing
gc.collect()
gc.freeze()
