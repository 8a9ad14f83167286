"""Commands in advice, which stands between backticks where it is read in a terminal."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_COMMAND = re.compile("`([^`]+)`")


@register.filter
def with_commands(advice: str) -> SafeString:
    """As HTML: what stands between backticks is code."""
    return mark_safe(_COMMAND.sub(r"<code>\1</code>", escape(advice)))  # noqa: S308 -- escaped before
