"""Which channels are configured."""

from __future__ import annotations

from backend.channels.channel import Channel, ChannelName


def configured() -> tuple[ChannelName, ...]:
    """In the order in which a person is offered them; asked often, so that nothing is loaded for it."""
    return ()


def channel(name: ChannelName) -> Channel:
    """The one of this name. Raises LookupError where it is not configured (any more)."""
    raise LookupError(name)
