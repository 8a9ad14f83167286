"""Where online sessions meet; `config/rooms.py` says what each provider needs."""

from __future__ import annotations

from backend.core import environment as env
from config import rooms as providers
from config.settings.deployment import DEBUG

ROOMS = env.choice(
    "ROOMS",
    "where online sessions meet: at the psychologist's link, which all of their clients share, or in a room of each session's own",
    providers.CHOICES,
    default="static",
)
JITSI_URL = env.url(
    "JITSI_URL", "the Jitsi server; hosted by 8x8: `https://8x8.vc`", example="https://meet.example.org"
)
JITSI_APP_ID = env.text("JITSI_APP_ID", "what that server knows us by: its `app_id`", example="mindsettler")
JITSI_SECRET = env.text(
    "JITSI_SECRET",
    "its `app_secret`, which signs who may enter; hosted by 8x8: the private key, `base64 -w0 key.pem`",
    example="`openssl rand -hex 32`",
)
JITSI_KEY_ID = env.text(
    "JITSI_KEY_ID", "hosted by 8x8: the id of that key; empty: an own server", example="vpaas-magic-cookie-…/4f4910"
)
providers.refuse_unfit(
    {
        "JITSI_URL": JITSI_URL,
        "JITSI_APP_ID": JITSI_APP_ID,
        "JITSI_SECRET": JITSI_SECRET,
        "JITSI_KEY_ID": JITSI_KEY_ID,
    },
    chosen=ROOMS,
    is_real=not DEBUG,
)
