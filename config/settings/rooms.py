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
ZOOM_ACCOUNT_ID = env.text("ZOOM_ACCOUNT_ID", "of the practice's Zoom app, Server-to-Server OAuth", example="Ab3-xYz…")
ZOOM_CLIENT_ID = env.text("ZOOM_CLIENT_ID", "of the same app", example="q9Lk…")
ZOOM_CLIENT_SECRET = env.text("ZOOM_CLIENT_SECRET", "of the same app", example="Zoom's page of the app shows it")
ZOOM_URL = env.url("ZOOM_URL", "where Zoom is asked for meetings", default="https://api.zoom.us")
ZOOM_LOGIN_URL = env.url("ZOOM_LOGIN_URL", "where Zoom gives the app its tokens", default="https://zoom.us")
providers.refuse_unfit(
    {
        "JITSI_URL": JITSI_URL,
        "JITSI_APP_ID": JITSI_APP_ID,
        "JITSI_SECRET": JITSI_SECRET,
        "JITSI_KEY_ID": JITSI_KEY_ID,
        "ZOOM_ACCOUNT_ID": ZOOM_ACCOUNT_ID,
        "ZOOM_CLIENT_ID": ZOOM_CLIENT_ID,
        "ZOOM_CLIENT_SECRET": ZOOM_CLIENT_SECRET,
        "ZOOM_URL": ZOOM_URL,
        "ZOOM_LOGIN_URL": ZOOM_LOGIN_URL,
    },
    chosen=ROOMS,
    is_real=not DEBUG,
)
