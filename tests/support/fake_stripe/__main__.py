"""`python -m tests.support.fake_stripe --port 8003 --webhook-url http://127.0.0.1:8000/api/hooks/payments/stripe/`."""

from __future__ import annotations

import argparse
import signal
import sys

from tests.support.fake_stripe.server import KEY, WEBHOOK_SECRET, FakeStripe


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8003)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))  # before threads inherit it
    fake = FakeStripe(
        port=options.port,
        webhook_url=options.webhook_url,
        webhook_secret=options.webhook_secret,
        seed=options.seed,
    )
    variables = {
        "STRIPE_URL": fake.url,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": options.webhook_secret,
    }
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in variables.items()))
    sys.stdout.flush()
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    fake.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
