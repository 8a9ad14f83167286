"""Which servers of others webhooks may call; `backend/core/outgoing/called_address.py` judges each."""

from __future__ import annotations

from backend.core import environment as env
from backend.core.environment import Misconfigured
from config.settings.deployment import DEBUG

CALL_PORTS = [
    int(port)
    for port in env.listing(
        "CALL_PORTS",
        "ports at which webhooks may call the servers of others",
        default="443",
        each=r"[1-9]\d{0,4}",
        expected="numbers of ports",
    )
]
CALL_LOOPBACK = env.flag(
    "CALL_LOOPBACK", "let a webhook call `localhost`, by http and at any port, too; with DEBUG alone, refused without"
)
if CALL_LOOPBACK and not DEBUG:
    raise Misconfigured(
        "CALL_LOOPBACK=1 lets whoever names an address call this machine; it is refused with DEBUG off."
    )
