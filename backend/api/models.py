"""What a stranger may do so often an hour, counted per client: guesses, failed log-ins, requests that cause a mail."""

from __future__ import annotations

from django.db import models

from backend.core.formatting import short_day_and_time
from backend.core.personal_data import classify


class LookupMiss(models.Model):
    """`client` is an IPv4 address, an IPv6 /64 network, or `*` for everybody together.

    `login:` before it, or before a digest, counts failed log-ins instead; `mails:` and `enquiries:` what `throttle`
    counts so.
    """

    client = models.CharField(max_length=45)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    refused = models.BooleanField(default=False, db_default=False)  # somebody was, and it is recorded: of log-ins alone

    SENSITIVITY = classify(personal="client", internal="hour count refused")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "hour"], name="lookup_miss_once")]
        indexes = [models.Index(fields=["hour"], name="lookup_miss_hour")]

    def __str__(self) -> str:
        return f"{self.client} {short_day_and_time(self.hour)}"
