"""What reaches telephones; `config/channels.py` says what each channel needs. None is used while nothing is set."""

from __future__ import annotations

from backend.channels.registered import FORM
from backend.core import environment as env
from config import channels
from config.settings.deployment import DEBUG

_EXPECTED = "a template and its language, as session_approaching.en=REFERENCE"
WHATSAPP_PHONE_NUMBER_ID = env.text(
    "WHATSAPP_PHONE_NUMBER_ID", "of the number that WhatsApp messages come from", example="106540352242922"
)
WHATSAPP_TOKEN = env.text("WHATSAPP_TOKEN", "by which WhatsApp's Cloud API is asked", example="EAAJ…")
WHATSAPP_APP_SECRET = env.text(
    "WHATSAPP_APP_SECRET",
    "of the Meta app, which signs what WhatsApp reports",
    example="Meta's page of the app shows it",
)
WHATSAPP_VERIFY_TOKEN = env.text(
    "WHATSAPP_VERIFY_TOKEN", "made up by us, given to Meta with the webhook's address", example="`openssl rand -hex 24`"
)
WHATSAPP_TEMPLATES = env.listing(
    "WHATSAPP_TEMPLATES",
    "the names of the approved templates, by ours and by language",
    example="session_approaching.en=appointment_tomorrow",
    each=FORM,
    expected=_EXPECTED,
)
WHATSAPP_URL = env.url("WHATSAPP_URL", "where WhatsApp is asked", default="https://graph.facebook.com")
WHATSAPP_VERSION = env.choice(
    "WHATSAPP_VERSION",
    "of Meta's Graph API",
    tuple(f"v{number}.0" for number in range(20, 41)),
    default="v23.0",
)
MSG91_AUTH_KEY = env.text("MSG91_AUTH_KEY", "by which MSG91 is asked to send SMS", example="4168…P1")
MSG91_WEBHOOK_SECRET = env.text(
    "MSG91_WEBHOOK_SECRET",
    "which MSG91 shows with its reports: in the header X-Webhook-Secret, or in the address `https://sms:SECRET@…`",
    example="`openssl rand -hex 24`",
)
MSG91_TEMPLATES = env.listing(
    "MSG91_TEMPLATES",
    "MSG91's ids of the templates that are registered (DLT), by our names and by language",
    example="session_approaching.en=65e06f45d6fc05278c7d47e2",
    each=FORM,
    expected=_EXPECTED,
)
MSG91_URL = env.url("MSG91_URL", "where MSG91 is asked", default="https://control.msg91.com")
CUSTOM_CHANNEL_URL = env.url(
    "CUSTOM_CHANNEL_URL",
    "a server of your own that sends messages as it is told",
    example="https://sms.example.org/send",
)
CUSTOM_CHANNEL_SECRET = env.text(
    "CUSTOM_CHANNEL_SECRET",
    "which signs what we and it say to each other, as Standard Webhooks has it",
    example="`echo whsec_$(openssl rand -base64 32)`",
)
channels.refuse_unfit(
    {
        "WHATSAPP_PHONE_NUMBER_ID": WHATSAPP_PHONE_NUMBER_ID,
        "WHATSAPP_TOKEN": WHATSAPP_TOKEN,
        "WHATSAPP_APP_SECRET": WHATSAPP_APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": WHATSAPP_VERIFY_TOKEN,
        "WHATSAPP_URL": WHATSAPP_URL,
        "MSG91_AUTH_KEY": MSG91_AUTH_KEY,
        "MSG91_WEBHOOK_SECRET": MSG91_WEBHOOK_SECRET,
        "MSG91_URL": MSG91_URL,
        "CUSTOM_CHANNEL_URL": CUSTOM_CHANNEL_URL,
        "CUSTOM_CHANNEL_SECRET": CUSTOM_CHANNEL_SECRET,
    },
    {"WHATSAPP_TEMPLATES": WHATSAPP_TEMPLATES, "MSG91_TEMPLATES": MSG91_TEMPLATES},
    is_real=not DEBUG,
)
