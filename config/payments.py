"""Which keys each payment gateway needs, what they look like, and which of them move no real money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from backend.core.environment import Misconfigured


@dataclass(frozen=True)
class Form:
    """What a variable's value must look like. Keys are never quoted."""

    pattern: str
    expected: str
    is_needed: bool = True


_SECRET = r"[!-~]{12,200}"  # noqa: S105  # a form, no secret
_STRIPES = r"whsec_[!-~]{16,200}"  # a form, too
FORMS: dict[str, dict[str, Form]] = {
    "razorpay": {
        "RAZORPAY_KEY_ID": Form(r"rzp_(live|test)_[A-Za-z0-9]{10,40}", "a key id that begins with rzp_live_"),
        "RAZORPAY_KEY_SECRET": Form(_SECRET, "the secret that was shown once with the key id"),
        "RAZORPAY_WEBHOOK_SECRET": Form(_SECRET, "the secret of its webhook, 12 characters or more without spaces"),
        "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": Form(_SECRET, "an earlier secret of its webhook", is_needed=False),
        "RAZORPAY_ACCOUNT_ID": Form(r"acc_[A-Za-z0-9]{10,40}", "an account such as acc_…", is_needed=False),
    },
    "stripe": {
        "STRIPE_SECRET_KEY": Form(
            r"(sk|rk)_(live|test)_[A-Za-z0-9]{16,250}", "a key that begins with sk_live_ or rk_live_"
        ),
        "STRIPE_WEBHOOK_SECRET": Form(_STRIPES, "the secret of its webhook's endpoint, which begins with whsec_"),
        "STRIPE_WEBHOOK_SECRET_PREVIOUS": Form(
            _STRIPES, "an earlier secret, which begins with whsec_", is_needed=False
        ),
    },
}
_OF_TESTS = {"RAZORPAY_KEY_ID": r"rzp_test_", "STRIPE_SECRET_KEY": r"(sk|rk)_test_"}
_ADDRESSES = ("RAZORPAY_URL", "STRIPE_URL")


def refuse_unfit(given: Mapping[str, str], *, chosen: str) -> None:
    """Raise Misconfigured, naming the variable: missing, as the chosen gateway's, or half given; or of another form.

    The keys of a gateway that is not chosen any more stay: it still reports payments, and gives them back.
    """
    for gateway, forms in FORMS.items():
        is_used = gateway == chosen or any(given[name] for name in forms)
        missing = [name for name, form in forms.items() if form.is_needed and not given[name]]
        if is_used and missing:
            raise Misconfigured(f"{' and '.join(missing)} must be set for the payment gateway {gateway}.")
        for name, form in forms.items():
            if given[name] and not re.fullmatch(form.pattern, given[name]):
                raise Misconfigured(f"{name}: expected {form.expected}.")


def refuse_unreal(given: Mapping[str, str]) -> None:
    """Raise Misconfigured for keys that move no real money, and for an address that is asked in clear."""
    for name, pattern in _OF_TESTS.items():
        if re.match(pattern, given[name]):
            raise Misconfigured(
                f"{name} is a key for tests: with DEBUG off it is refused, unless ALLOW_SANDBOX_PAYMENTS=1."
            )
    for name in _ADDRESSES:
        if not given[name].startswith("https://"):
            raise Misconfigured(f"{name} must begin with https:// with DEBUG off, unless ALLOW_SANDBOX_PAYMENTS=1.")
