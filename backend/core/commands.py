"""The base of our management commands."""

from django.core.management.base import BaseCommand


class ReleasedCommand(BaseCommand):
    """It runs on what `release` has checked. Checks load every page and address of the web, which takes a second."""

    requires_system_checks = []
