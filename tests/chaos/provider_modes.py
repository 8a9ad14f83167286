"""How the fake mail provider treats a mail."""

from __future__ import annotations

from enum import StrEnum


class ProviderMode(StrEnum):
    WELL = "well"
    FAILING = "500"
    BUSY = "429"
    HANGING = "hangs"  # takes the mail and says nothing for 40 s; not accepted
    DROPPING = "drops"  # accepts the mail and closes the connection without a word
