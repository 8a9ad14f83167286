"""A fake Stripe: Checkout Sessions, refunds, payouts and webhooks as Stripe documents them, on a loopback port."""
