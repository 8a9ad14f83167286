"""What people ask of us about their data: to correct, to withdraw the consent, to be erased."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from backend.core.personal_data import classify
from backend.people.models import Client


class RequestKind(models.TextChoices):
    CORRECTION = "correction", "Correct the data"
    WITHDRAWAL = "withdrawal", "Withdraw the consent"
    ERASURE = "erasure", "Erase the data"


class RequestState(models.TextChoices):
    """In order. Only an erasure waits; the others are done as they are asked."""

    ASKED = "asked", "Asked, not proved"
    WAITING = "waiting", "Waits for its day"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped by the person"
    LAPSED = "lapsed", "Not proved in time"


class WaitsFor(models.TextChoices):
    """What an erasure is put off for."""

    BOOKING = "booking", "a booking that is open"
    REFUND = "refund", "money that is on its way back"
    PAYMENT = "payment", "a session that took place and is not recorded as paid"


OPEN = (RequestState.ASKED, RequestState.WAITING)


class DataRequest(models.Model):
    """One wish of one person. It names nobody: an erasure that is done leaves it without its client."""

    kind = models.CharField(max_length=16, choices=RequestKind.choices)
    state = models.CharField(max_length=16, choices=RequestState.choices)
    # by whose link it was asked
    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="data_requests")
    client = models.ForeignKey(Client, null=True, on_delete=models.SET_NULL, related_name="data_requests")
    asked_by = models.CharField(max_length=80, default="visitor", db_default="visitor")  # or who of staff was told
    changed = models.CharField(max_length=120, blank=True, default="", db_default="")  # columns, of a correction
    asked_at = models.DateTimeField()
    deadline = models.DateTimeField()  # until when the person has an answer
    due_at = models.DateTimeField(null=True)  # ASKED: it lapses; WAITING: it is carried out, or put off
    waits_for = models.CharField(max_length=16, choices=WaitsFor.choices, blank=True)
    closed_at = models.DateTimeField(null=True)

    SENSITIVITY = classify(
        personal="client", internal="kind state booking asked_by changed asked_at deadline due_at waits_for closed_at"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=Q(state__in=[state.value for state in OPEN]),
                name="one_open_data_request",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in OPEN], due_at__isnull=False, closed_at=None)
                | (~Q(state__in=[state.value for state in OPEN]) & Q(due_at=None, closed_at__isnull=False)),
                name="open_data_request_is_due",
            ),
        ]
        indexes = [
            # the sweep
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="data_request_due"),
            # whose deadline is next
            models.Index(fields=["deadline"], condition=Q(closed_at=None), name="data_request_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
