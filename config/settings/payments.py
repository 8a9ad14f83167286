"""Who takes payments; `config/payments.py` says what each gateway needs."""

from __future__ import annotations

import re

from backend.core import environment as env
from backend.core.environment import Misconfigured
from config import payments as gateways
from config.settings.deployment import DEBUG

ALLOW_SANDBOX_PAYMENTS = env.flag(
    "ALLOW_SANDBOX_PAYMENTS",
    "allow with DEBUG off what moves no real money: the sandbox gateway, and a real one's test keys",
)
PAYMENT_GATEWAY = env.choice(
    "PAYMENT_GATEWAY",
    "who takes online payments; `none` refuses them, empty as well, and `ops_doctor` asks whether that is meant",
    ("", "none", "sandbox", "razorpay", "stripe"),
    default="sandbox" if DEBUG else "",
    shown_default="empty; sandbox with DEBUG",
)
IS_WITHOUT_GATEWAY = PAYMENT_GATEWAY == "none"  # on purpose
PAYMENT_GATEWAY = "" if IS_WITHOUT_GATEWAY else PAYMENT_GATEWAY
if PAYMENT_GATEWAY == "sandbox" and not (DEBUG or ALLOW_SANDBOX_PAYMENTS):
    raise Misconfigured(
        "PAYMENT_GATEWAY=sandbox moves no real money and is refused with DEBUG off, unless ALLOW_SANDBOX_PAYMENTS=1."
    )
PAYMENT_NAME = env.text(
    "PAYMENT_NAME",
    "all that a gateway and its pages learn of us beside a booking's id; must not say what the practice is for",
    default="Booking",
)
UPI_ID = env.text(
    "UPI_ID", "the practice's UPI address, such as practice@bank: offered for what is paid at the practice", default=""
)
if UPI_ID and not re.fullmatch(r"[A-Za-z0-9._-]{2,256}@[A-Za-z][A-Za-z0-9]{1,63}", UPI_ID):
    raise Misconfigured("UPI_ID is no UPI address; one looks like practice@bank.")
SANDBOX_URL = env.url("SANDBOX_URL", "where the sandbox gateway listens", default="http://127.0.0.1:8001")
SANDBOX_SECRET = env.text(
    "SANDBOX_SECRET",
    "key that signs the sandbox gateway's webhooks",
    default="sandbox-webhook-secret" if DEBUG else "",
    shown_default="",
    example="secret",
)
if PAYMENT_GATEWAY == "sandbox" and not SANDBOX_SECRET:
    raise Misconfigured("SANDBOX_SECRET is not set; with DEBUG off the sandbox gateway needs a key of its own.")
RAZORPAY_URL = env.url("RAZORPAY_URL", "where Razorpay's API is", default="https://api.razorpay.com")
RAZORPAY_KEY_ID = env.text(
    "RAZORPAY_KEY_ID", "its key id; whoever has one configured is served, chosen or not", example="rzp_live_…"
)
RAZORPAY_KEY_SECRET = env.text("RAZORPAY_KEY_SECRET", "the key's secret", example="secret")
RAZORPAY_WEBHOOK_SECRET = env.text(
    "RAZORPAY_WEBHOOK_SECRET", "the secret of its webhook, which you choose", example="`openssl rand -hex 24`"
)
RAZORPAY_WEBHOOK_SECRET_PREVIOUS = env.text(
    "RAZORPAY_WEBHOOK_SECRET_PREVIOUS",
    "the one before, which counts too: for a day at least after a change",
    example="secret",
)
RAZORPAY_ACCOUNT_ID = env.text(
    "RAZORPAY_ACCOUNT_ID",
    "our account there; events of another one are kept in quarantine; empty: not asked",
    example="acc_…",
)
STRIPE_URL = env.url("STRIPE_URL", "where Stripe's API is", default="https://api.stripe.com")
STRIPE_SECRET_KEY = env.text(
    "STRIPE_SECRET_KEY",
    "its secret key, or a restricted one; whoever has one configured is served, chosen or not",
    example="sk_live_…",
)
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", "the secret of its webhook's endpoint", example="whsec_…")
STRIPE_WEBHOOK_SECRET_PREVIOUS = env.text(
    "STRIPE_WEBHOOK_SECRET_PREVIOUS",
    "the one before, which counts too: until Stripe signs with the new one alone",
    example="whsec_…",
)
_of_gateways = {
    "RAZORPAY_URL": RAZORPAY_URL,
    "RAZORPAY_KEY_ID": RAZORPAY_KEY_ID,
    "RAZORPAY_KEY_SECRET": RAZORPAY_KEY_SECRET,
    "RAZORPAY_WEBHOOK_SECRET": RAZORPAY_WEBHOOK_SECRET,
    "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": RAZORPAY_WEBHOOK_SECRET_PREVIOUS,
    "RAZORPAY_ACCOUNT_ID": RAZORPAY_ACCOUNT_ID,
    "STRIPE_URL": STRIPE_URL,
    "STRIPE_SECRET_KEY": STRIPE_SECRET_KEY,
    "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET,
    "STRIPE_WEBHOOK_SECRET_PREVIOUS": STRIPE_WEBHOOK_SECRET_PREVIOUS,
}
gateways.refuse_unfit(_of_gateways, chosen=PAYMENT_GATEWAY)
if not (DEBUG or ALLOW_SANDBOX_PAYMENTS):
    gateways.refuse_unreal(_of_gateways)
