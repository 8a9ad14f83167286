"""Addresses whose module is loaded when one of them is asked for, or made."""

from __future__ import annotations

from typing import Any

from django.urls import URLResolver
from django.urls.resolvers import RoutePattern
from django.utils.translation import get_language


class _Late(URLResolver):
    """Django fills all resolvers once any address is made, and loads every module for that; this one it does not."""

    def _populate(self) -> None:
        """Asked by the resolver above."""

    @property
    def reverse_dict(self) -> Any:
        self._filled()
        return super().reverse_dict

    @property
    def namespace_dict(self) -> Any:
        self._filled()
        return super().namespace_dict

    @property
    def app_dict(self) -> Any:
        self._filled()
        return super().app_dict

    def _filled(self) -> None:
        if get_language() not in self._reverse_dict:
            super()._populate()


def late(prefix: str, module: str, name: str) -> URLResolver:
    """As `path(prefix, include((module, name)))`."""
    return _Late(RoutePattern(prefix, is_endpoint=False), module, app_name=name, namespace=name)
