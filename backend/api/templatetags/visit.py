"""What the templates of visitors' forms need to look into a mapping by a name that is itself a value."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def of(values: object, name: str) -> object:
    """The value of this name; empty for none, or where there is no mapping at all."""
    return values.get(name, "") if isinstance(values, Mapping) else ""


@register.filter
def words(text: str) -> list[str]:
    """Its words."""
    return text.split()
