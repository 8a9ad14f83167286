"""Which channels are configured. Each brings `requests`, which few processes need."""

from __future__ import annotations

from django.conf import settings

from backend.channels.channel import Channel, ChannelName
from backend.channels.names import ReminderWay


def configured() -> tuple[ChannelName, ...]:
    """In the order in which a person is offered them; asked often, so that nothing is loaded for it."""
    given = {
        ChannelName.WHATSAPP: settings.WHATSAPP_TOKEN,
        ChannelName.SMS: settings.MSG91_AUTH_KEY,
        ChannelName.CUSTOM: settings.CUSTOM_CHANNEL_URL,
    }
    return tuple(name for name in ChannelName if given[name])


def ways() -> tuple[ReminderWay, ...]:
    """How a person may be reminded: by mail, and by each of these."""
    return (ReminderWay.EMAIL, *map(ReminderWay, configured()))


def channel(name: ChannelName) -> Channel:
    """The one of this name. Raises LookupError where it is not configured (any more)."""
    if name not in configured():
        raise LookupError(name)
    return {ChannelName.WHATSAPP: _whatsapp, ChannelName.SMS: _sms, ChannelName.CUSTOM: _custom}[name]()


def _whatsapp() -> Channel:
    from backend.channels import whatsapp
    from backend.channels.registered import Registered

    secrets = (settings.WHATSAPP_TOKEN, settings.WHATSAPP_APP_SECRET, settings.WHATSAPP_VERIFY_TOKEN)
    templates = Registered.parse(settings.WHATSAPP_TEMPLATES)
    where = (settings.WHATSAPP_URL, settings.WHATSAPP_VERSION)
    return whatsapp.WhatsApp(whatsapp.Account(settings.WHATSAPP_PHONE_NUMBER_ID, *secrets, templates, *where))


def _sms() -> Channel:
    from backend.channels import msg91
    from backend.channels.registered import Registered

    secrets, templates = (settings.MSG91_AUTH_KEY, settings.MSG91_WEBHOOK_SECRET), settings.MSG91_TEMPLATES
    return msg91.Msg91(msg91.Account(*secrets, Registered.parse(templates), settings.MSG91_URL))


def _custom() -> Channel:
    from backend.channels import custom

    return custom.CustomChannel(custom.Account(settings.CUSTOM_CHANNEL_URL, settings.CUSTOM_CHANNEL_SECRET))
