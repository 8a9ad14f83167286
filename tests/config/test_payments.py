"""The keys of payment gateways: a start is refused by the name of the variable, and no key is ever quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.environment import Misconfigured
from config import payments
from tests.support import commands

pytestmark = pytest.mark.sqlite_only
RAZORPAY = {
    "RAZORPAY_URL": "https://api.razorpay.com",
    "RAZORPAY_KEY_ID": "rzp_live_A1B2C3D4E5F6G7",
    "RAZORPAY_KEY_SECRET": "secret-of-24-characters",
    "RAZORPAY_WEBHOOK_SECRET": "secret-of-a-webhook",
}
STRIPE = {
    "STRIPE_URL": "https://api.stripe.com",
    "STRIPE_SECRET_KEY": "sk_live_A1B2C3D4E5F6G7H8",
    "STRIPE_WEBHOOK_SECRET": "whsec_A1B2C3D4E5F6G7H8",
}
NOTHING = dict.fromkeys([name for forms in payments.FORMS.values() for name in forms], "")
ALL = {**NOTHING, "RAZORPAY_URL": "https://api.razorpay.com", "STRIPE_URL": "https://api.stripe.com"}
CONFIGURED = {**ALL, **RAZORPAY, **STRIPE}


def test_keys_of_the_right_form_are_taken_and_none_are_needed_by_who_uses_none() -> None:
    for chosen in ("razorpay", "stripe"):
        payments.refuse_unfit(CONFIGURED, chosen=chosen)
    payments.refuse_unfit({**CONFIGURED, "STRIPE_SECRET_KEY": "rk_live_A1B2C3D4E5F6G7H8"}, chosen="stripe")
    payments.refuse_unreal(CONFIGURED)
    payments.refuse_unfit(ALL, chosen="sandbox")
    payments.refuse_unreal(ALL)


@pytest.mark.parametrize(
    ("chosen", "changes"),
    [
        *[("razorpay", {name: ""}) for name in RAZORPAY if name != "RAZORPAY_URL"],
        ("", {"RAZORPAY_WEBHOOK_SECRET": ""}),  # half given, of one that is not chosen any more
        ("razorpay", {"RAZORPAY_KEY_ID": "sk_live_A1B2C3D4E5F6G7"}),
        ("razorpay", {"RAZORPAY_KEY_ID": "rzp_live_A1B2 C3D4E5"}),
        ("razorpay", {"RAZORPAY_KEY_SECRET": "short"}),
        ("razorpay", {"RAZORPAY_WEBHOOK_SECRET": "with spaces in it"}),
        ("razorpay", {"RAZORPAY_WEBHOOK_SECRET_PREVIOUS": "hindi-अआइईउऊऋए"}),
        ("razorpay", {"RAZORPAY_ACCOUNT_ID": "A1B2C3D4E5F6G7"}),
        *[("stripe", {name: ""}) for name in STRIPE if name != "STRIPE_URL"],
        ("", {"STRIPE_WEBHOOK_SECRET": ""}),
        ("stripe", {"STRIPE_SECRET_KEY": "pk_live_A1B2C3D4E5F6G7H8"}),
        ("stripe", {"STRIPE_SECRET_KEY": "sk_live_short"}),
        ("stripe", {"STRIPE_WEBHOOK_SECRET": "A1B2C3D4E5F6G7H8A1B2C3"}),
        ("stripe", {"STRIPE_WEBHOOK_SECRET_PREVIOUS": "whsec_A1B2 C3D4E5F6G7H8"}),
    ],
)
def test_what_is_missing_or_malformed_is_named_and_not_quoted(chosen: str, changes: dict[str, str]) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(Misconfigured, match=name) as refused:
        payments.refuse_unfit({**CONFIGURED, **changes}, chosen=chosen)
    assert not value or value not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"RAZORPAY_KEY_ID": "rzp_test_A1B2C3D4E5F6G7"},
        {"RAZORPAY_URL": "http://api.razorpay.com"},
        {"STRIPE_SECRET_KEY": "sk_test_A1B2C3D4E5F6G7H8"},
        {"STRIPE_SECRET_KEY": "rk_test_A1B2C3D4E5F6G7H8"},
        {"STRIPE_URL": "http://api.stripe.com"},
    ],
)
def test_what_moves_no_real_money_or_is_asked_in_clear_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=f"{next(iter(changes))}.*ALLOW_SANDBOX_PAYMENTS"):
        payments.refuse_unreal({**CONFIGURED, **changes})


def test_a_process_with_test_keys_starts_on_a_staging_machine_alone(tmp_path: Path) -> None:
    given = {**RAZORPAY, "PAYMENT_GATEWAY": "razorpay", "DEBUG": "0", "RAZORPAY_KEY_ID": "rzp_test_A1B2C3D4E5F6G7"}
    ended = commands.start(tmp_path, "shell", "-v0", "-c", "", **given)
    assert ended.stderr.startswith("Misconfigured: RAZORPAY_KEY_ID")
    asked = "from backend.payments.adapters import gateway_named; print(gateway_named('razorpay').has_pages)"
    ended = commands.start(tmp_path, "shell", "-v0", "-c", asked, **given, ALLOW_SANDBOX_PAYMENTS="1")
    assert ended.stdout.strip() == "True", ended.stderr
