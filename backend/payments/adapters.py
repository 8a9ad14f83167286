"""Which gateways there are: the adapter for the name that a payment keeps."""

from __future__ import annotations

from django.conf import settings

from backend.core.errors import Code, Refused
from backend.payments.gateway import Gateway


def gateway_named(name: str) -> Gateway:
    """The gateway of a payment or of a webhook's address. Refuses: payments_unavailable, if we have no such.

    The sandbox exists only where it may be used: elsewhere anyone who read its default secret could report a payment.
    A real one exists as long as its keys are configured, also when new payments go elsewhere.
    """
    if name == "sandbox" and (settings.DEBUG or settings.ALLOW_SANDBOX_PAYMENTS):
        from backend.payments.sandbox.adapter import SandboxGateway  # each brings requests, which few processes need

        return SandboxGateway(settings.SANDBOX_URL, settings.SANDBOX_SECRET)
    if name == "razorpay" and settings.RAZORPAY_KEY_ID:
        return _razorpay()
    if name == "stripe" and settings.STRIPE_SECRET_KEY:
        return _stripe()
    raise Refused(Code.PAYMENTS_UNAVAILABLE, gateway=name)


def has_pages(name: str) -> bool:
    """Whether a gateway takes money on pages of its own; of one that we have no more nobody knows."""
    try:
        return gateway_named(name).has_pages
    except Refused:
        return False


def takes_payments_on_pages() -> bool:
    """Whether payments that begin now are made on a gateway's page."""
    return has_pages(settings.PAYMENT_GATEWAY)


def _razorpay() -> Gateway:
    from backend.payments.razorpay.adapter import Account, RazorpayGateway

    account = Account(
        url=settings.RAZORPAY_URL,
        key_id=settings.RAZORPAY_KEY_ID,
        key_secret=settings.RAZORPAY_KEY_SECRET,
        webhook_secrets=(settings.RAZORPAY_WEBHOOK_SECRET, settings.RAZORPAY_WEBHOOK_SECRET_PREVIOUS),
        account_id=settings.RAZORPAY_ACCOUNT_ID,
    )
    return RazorpayGateway(account)


def _stripe() -> Gateway:
    from backend.payments.stripe.adapter import StripeGateway

    secrets = (settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_WEBHOOK_SECRET_PREVIOUS)
    return StripeGateway(settings.STRIPE_URL, settings.STRIPE_SECRET_KEY, secrets)
