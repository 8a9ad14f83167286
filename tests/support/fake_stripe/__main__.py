"""`python -m tests.support.fake_stripe --port 8003 --webhook-url http://127.0.0.1:8000/api/hooks/payments/stripe/`."""

from __future__ import annotations

import sys

from tests.support.fake_gateway.program import run
from tests.support.fake_stripe.server import VARIABLES, FakeStripe

if __name__ == "__main__":
    sys.exit(run(FakeStripe, VARIABLES, address="STRIPE_URL", secret="STRIPE_WEBHOOK_SECRET", port=8003))
