"""Celery's adaption to Django, but a process keeps its connection from task to task, and checks no models.

Celery's own closes it, and a pool with it, before and after every task: 20 connections a second in an idle stack.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup  # type: ignore[attr-defined] # its stubs know one
from django.db import close_old_connections


class KeptConnection(DjangoWorkerFixup):  # type: ignore[misc]
    """Closes what cannot be used any more, as a web process does between two requests."""

    def validate_models(self) -> None:
        """Before tasks are loaded. `release` has checked them, and checks load every page and address of the web."""
        self.django_setup()

    def install(self) -> Any:
        """The parent keeps none: its children would inherit it."""
        self._close_database()
        return super().install()

    def close_database(self, **_signal: Any) -> None:
        """Before and after each task."""
        close_old_connections()


class _Fixup(DjangoFixup):
    @cached_property
    def worker_fixup(self) -> KeptConnection:
        """Made when it is asked for: it reads the settings of an application that is complete by then."""
        return KeptConnection(self.app)


def fixup(app: Celery) -> _Fixup:
    """What Celery installs for Django, with our way of keeping connections."""
    found = _Fixup(app)
    found.install()
    return found
