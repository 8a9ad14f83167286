"""Instants on visitors' pages: on the practice's clock, and with what a browser needs to add its own."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.api.responses import utc_iso
from backend.core import formatting

register = template.Library()


@register.simple_tag
def moment(at: datetime) -> SafeString:
    """`Tuesday, 1 December 2026, 18:30 IST`."""
    return format_html('<time datetime="{}">{}</time>', utc_iso(at), formatting.day_and_time(at))


@register.simple_tag
def clock(at: datetime) -> SafeString:
    """`18:30 IST`, under a heading that names the day."""
    return format_html('<time datetime="{}" data-clock>{}</time>', utc_iso(at), formatting.clock_time(at))
