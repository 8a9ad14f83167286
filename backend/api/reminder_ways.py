"""How a visitor may be reminded, as pages ask it."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.channels import adapters
from backend.channels.names import ReminderWay

QUESTION = _("How may we remind you? A text to your telephone says day and time alone, and names nobody.")
LABELS: dict[ReminderWay, str | Promise] = {
    ReminderWay.EMAIL: _("By email"),
    ReminderWay.WHATSAPP: _("By WhatsApp"),
    ReminderWay.SMS: _("By SMS"),
    ReminderWay.CUSTOM: _("By text message"),
}


def offered() -> tuple[tuple[str, str | Promise], ...]:
    """Value and label of each; none where there is nothing to choose."""
    ways = adapters.ways()
    return tuple((way.value, LABELS[way]) for way in ways) if len(ways) > 1 else ()
