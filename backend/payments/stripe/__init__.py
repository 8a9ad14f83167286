"""Stripe Checkout: hosted pages, asked for over HTTP. Why without Stripe's library: docs/decisions/050."""
