"""Which gateways there are: the adapter for the name that a payment keeps."""

from __future__ import annotations

from django.conf import settings

from backend.core.errors import Code, Refused
from backend.payments.gateway import Gateway
from backend.payments.sandbox.adapter import SandboxGateway


def gateway_named(name: str) -> Gateway:
    """The gateway of a payment or of a webhook's address. Refuses: payments_unavailable, if we have no such.

    The sandbox exists only where it may be used: elsewhere anyone who read its default secret could report a payment.
    """
    if name == "sandbox" and (settings.DEBUG or settings.ALLOW_SANDBOX_PAYMENTS):
        return SandboxGateway(settings.SANDBOX_URL, settings.SANDBOX_SECRET)
    raise Refused(Code.PAYMENTS_UNAVAILABLE, gateway=name)
