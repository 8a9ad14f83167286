"""`python -m tests.support.fake_razorpay --port 8002 --webhook-url http://127.0.0.1:8000/api/hooks/payments/razorpay/`."""

from __future__ import annotations

import argparse
import signal
import sys

from tests.support.fake_razorpay.server import KEY_ID, KEY_SECRET, WEBHOOK_SECRET, FakeRazorpay


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))  # before threads inherit it
    fake = FakeRazorpay(
        port=options.port,
        webhook_url=options.webhook_url,
        webhook_secret=options.webhook_secret,
        seed=options.seed,
    )
    variables = {
        "RAZORPAY_URL": fake.url,
        "RAZORPAY_KEY_ID": KEY_ID,
        "RAZORPAY_KEY_SECRET": KEY_SECRET,
        "RAZORPAY_WEBHOOK_SECRET": options.webhook_secret,
    }
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in variables.items()))
    sys.stdout.flush()
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    fake.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
