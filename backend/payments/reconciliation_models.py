"""How far the comparison of our books with a gateway's has come."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from backend.core.personal_data import classify
from backend.payments.gateway import MARK_LONGEST


class Reconciliation(models.Model):
    """The round of comparing that is going on with a gateway, or was last. First what it lists, then what it does not.

    A round is made of pieces, each of which ends within a lease; what is kept here is where the next one begins.
    """

    gateway = models.CharField(max_length=20, unique=True)
    first_begun_at = models.DateTimeField(db_default=Now())
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # None: it is going on
    completed_at = models.DateTimeField(null=True, blank=True)  # when one last came to its end
    since = models.DateTimeField()  # captures from then on are compared
    mark = models.CharField(max_length=MARK_LONGEST, blank=True, default="", db_default="")  # of the next part
    has_listed = models.BooleanField(default=False, db_default=False)  # every part of its list was compared
    last_payment = models.BigIntegerField(default=0, db_default=0)  # ours are asked about in this order; up to here

    SENSITIVITY = classify(
        internal="gateway first_begun_at begun_at ended_at completed_at since mark has_listed last_payment"
    )

    class Meta:
        ordering = ["gateway"]

    def __str__(self) -> str:
        return self.gateway
