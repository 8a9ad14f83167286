"""Money: payments, refunds, the webhook inbox, and the gateways that move it."""
