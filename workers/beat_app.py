"""The application of the library that keeps beat's table, in place of its own: it has no use for Celery itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from django_celery_beat.apps import BeatConfig as LibrarysConfig

from backend.core.deferred import deferred

CELERY = ("celery", "celery.utils", "kombu.utils.json")
SCHEDULES = ("django_celery_beat.clockedschedule", "django_celery_beat.tzcrontab")  # kinds of Celery's


@contextmanager
def without_celery() -> Iterator[None]:
    """Within the block the library's modules load without it, 6 MB: who sends by the table, or edits it, loads it."""
    with deferred(*CELERY, *SCHEDULES, known={"celery.utils": {"cached_property": cached_property}}):
        yield


class BeatConfig(LibrarysConfig):  # type: ignore[misc] # the library has no types
    """Every process has its models; a web process reads them."""

    def import_models(self) -> None:
        """The same, with Celery left for later."""
        with without_celery():
            super().import_models()
