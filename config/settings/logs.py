"""What is written to the log, and how."""

from __future__ import annotations

from config.settings.deployment import DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "once": {"()": "backend.api.log_filters.OncePerRefusal"},
        "error_of_task": {"()": "backend.core.logs.ErrorOfTask"},
    },
    "formatters": {"line": {"()": "backend.core.logs.formatter", "as_json": not DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": []},  # its own handler would write every line twice with DEBUG on
        "django.request": {"level": "ERROR", "filters": ["once"]},  # the API logs its refusals once, with their code
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # scanners; not worth a traceback
        "celery.beat": {"level": "WARNING"},  # a line per wake-up would be some a second
        "celery.app.trace": {"level": "WARNING", "filters": ["error_of_task"]},
        "celery.worker.strategy": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},  # it says which letters of a name it keeps
    },
}
