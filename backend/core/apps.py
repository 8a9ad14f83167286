"""Puts our site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig as DjangosAdminConfig


class AdminConfig(DjangosAdminConfig):
    default_site = "backend.core.admin_site.Site"
