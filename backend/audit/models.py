"""One row for each time somebody was shown, found or took away what is about people."""

from __future__ import annotations

from django.db import models

from backend.core.disclosures import Act
from backend.core.personal_data import classify


class Kind(models.TextChoices):
    OPENED = Act.OPENED.value, "Opened"
    SEARCHED = Act.SEARCHED.value, "Searched"
    EXPORTED = Act.EXPORTED.value, "Exported"
    REVEALED = "revealed", "Telephone number shown"
    LOGGED_IN = "logged_in", "Logged in"
    LOGIN_FAILED = "login_failed", "Log-in failed"
    LOGINS_STOPPED = "logins_stopped", "Log-ins stopped for this hour"
    FACTOR_REFUSED = "factor_refused", "Second step failed"
    RIGHTS_CHANGED = "rights_changed", "Rights changed"


class AccessRecord(models.Model):
    """Who was shown what, when and where. Append-only: database triggers refuse UPDATE, and DELETE within a year.

    Ids alone: no text, no address, nothing that was typed, but the name that a colleague gave a token. `shown` is
    written and read by `backend.audit.shown`.
    """

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)  # text, no foreign key: it outlives the account
    # of a program: which token of the actor's, by number and name, which outlive it, too
    token_id = models.BigIntegerField(null=True, blank=True)
    token_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    page = models.CharField(max_length=100, blank=True)  # the address' name or pattern, without what it names
    shown = models.TextField(blank=True)
    # the one row it is all about, for the index; empty when there are several
    subject = models.CharField(max_length=32, blank=True)
    subject_id = models.BigIntegerField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    SENSITIVITY = classify(internal="at actor token_id token_name kind page shown subject subject_id correlation_id")

    class Meta:
        ordering = ["-id"]
        indexes = [
            # who read of a person, where the page was theirs
            models.Index(
                fields=["subject", "subject_id"], condition=models.Q(subject_id__isnull=False), name="access_subject"
            ),
            # what expires; and who read of a person on pages of many, in which it is looked for
            models.Index(fields=["at"], name="access_at"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.kind}"
