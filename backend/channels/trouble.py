"""What is wrong with a whole channel."""

from __future__ import annotations

from backend.core.errors import Transient


class ChannelTrouble(Transient):
    """The channel takes nothing of this kind from us: our key, our bill, a template that is not approved or was paused.

    No fault of this message, and nothing that a minute mends. Not `AccountTrouble`: that would hold the whole queue.
    """
