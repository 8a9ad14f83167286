"""What every fake of a gateway has: how it delivers its webhooks, and the troubles that it makes."""
