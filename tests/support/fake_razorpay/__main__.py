"""`python -m tests.support.fake_razorpay --port 8002 --webhook-url http://127.0.0.1:8000/api/hooks/payments/razorpay/`."""

from __future__ import annotations

import sys

from tests.support.fake_gateway.program import run
from tests.support.fake_razorpay.server import VARIABLES, FakeRazorpay

if __name__ == "__main__":
    sys.exit(run(FakeRazorpay, VARIABLES, address="RAZORPAY_URL", secret="RAZORPAY_WEBHOOK_SECRET", port=8002))
