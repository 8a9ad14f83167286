"""The staff's pages: the desk's own, which stand before the admin's. Loaded when somebody opens the first of them."""

from __future__ import annotations

from django.contrib import admin

from workers.beat_app import without_celery

with without_celery():
    admin.autodiscover()  # first: whatever asks for an address of the desk has all pages

from backend.desk.urls import urlpatterns

__all__ = ["urlpatterns"]
