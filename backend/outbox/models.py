"""The message row: one effect, from the moment it is owed until it is settled."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from backend.core.encryption import EncryptedJSONField
from backend.core.personal_data import classify
from backend.outbox.outlet_models import Outlet as Outlet
from backend.outbox.outlet_models import OutletState as OutletState


class Queue(models.TextChoices):
    """Which worker performs the effect."""

    MAIL = "mail", "Mail"
    PAYMENTS = "payments", "Payments"
    CALLS = "calls", "Calls"  # to the servers of others: webhooks, rooms, texts


class MessageState(models.TextChoices):
    """In life-cycle order. Every state but WAITING is settled and final, save that a dead row can be re-driven."""

    WAITING = "waiting", "Waiting"  # owed; leased by a worker while `lease_expires_at` is ahead
    DONE = "done", "Done"  # performed, as far as the outside service told us
    OBSOLETE = "obsolete", "Not sent, no longer true"  # no longer true when its turn came, so not sent
    SUPPRESSED = "suppressed", "Not sent, too many asked for"  # over the limit on mail that a stranger can trigger
    DEAD = "dead", "Given up"  # given up after its attempts, or refused for good; kept, shown, can be re-driven
    UNKNOWN = "unknown", "Perhaps sent"  # handed over twice and no answer; somebody decides on a third time
    DISCARDED = "discarded", "Discarded"  # was given up, and an operator said why it is not wanted any more


class Delivery(models.TextChoices):
    """What the provider reported of a message since it took it, in the order in which it can only go forward."""

    DEFERRED = "deferred", "Deferred"  # not taken yet by the mailbox's server, which is asked again
    DELIVERED = "delivered", "Delivered"
    BOUNCED = "bounced", "Bounced"  # for good; also long after that server had taken it
    COMPLAINED = "complained", "Reported as spam"


GIVEN_UP = (MessageState.DEAD, MessageState.UNKNOWN)  # settled, until somebody re-drives or discards it


class Message(models.Model):
    """One owed effect. The row carries ids; personal data is the recipient and the context frozen at first attempt."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    queue = models.CharField(max_length=16, choices=Queue.choices)
    kind = models.CharField(max_length=48)
    dedupe_key = models.CharField(max_length=120, unique=True)
    booking_id = models.BigIntegerField(null=True, blank=True)  # no foreign key: the outbox knows no booking
    # the payment or refund that a payments row speaks of; of a text and the mail in whose stead it goes, the other
    subject_id = models.BigIntegerField(null=True, blank=True)
    ledger_sequence = models.PositiveIntegerField(null=True, blank=True)
    recipient = models.CharField(max_length=254, blank=True)
    mailbox = models.CharField(max_length=254, blank=True, db_default="")  # the recipient's, for the limits to count by
    context = EncryptedJSONField(blank=True, row_id="uuid")  # frozen by the first attempt; never a token
    frozen_at = models.DateTimeField(null=True, blank=True)  # the first attempt; the mail's Date derives from it

    state = models.CharField(max_length=16, choices=MessageState.choices, default=MessageState.WAITING)
    not_before = models.DateTimeField()  # when it becomes due
    next_attempt_at = models.DateTimeField()  # not_before, moved on by back-off
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)  # grows with each claim; a holder of an older one may not settle
    attempts = models.PositiveSmallIntegerField(default=0)
    # whether the outside may have taken it in some attempt: while not, it is rendered anew, and nothing is repeated
    may_have_left = models.BooleanField(default=False, db_default=False)
    # how often it was handed to the outside, which did not say no
    hand_overs = models.PositiveSmallIntegerField(default=0, db_default=0)
    # by which provider it was last handed over, which alone repeats it
    handed_to = models.CharField(max_length=8, choices=Outlet.choices, blank=True, default="", db_default="")
    is_snoozed = models.BooleanField(default=False, db_default=False)  # its effect said "not yet": no failure, no delay
    last_error = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    blanked_at = models.DateTimeField(null=True, blank=True)
    provider_message_id = models.CharField(max_length=200, blank=True, db_default="")  # by which it names the mail
    delivery = models.CharField(max_length=16, choices=Delivery.choices, blank=True, db_default="")
    delivery_at = models.DateTimeField(null=True, blank=True)  # when we heard of that
    correlation_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    SENSITIVITY = classify(
        # a provider's words may quote an address, and who may ask it finds one by its id
        personal="recipient mailbox context last_error provider_message_id",
        internal=(
            "uuid queue kind dedupe_key booking_id subject_id ledger_sequence frozen_at state not_before "
            "next_attempt_at lease_expires_at is_snoozed fence attempts may_have_left hand_overs handed_to settled_at "
            "blanked_at delivery delivery_at correlation_id created_at"
        ),
    )

    was_left = False  # by a worker whose lease ran out, as it was claimed
    is_begun = is_handed_over = False  # in the attempt at hand

    class Meta:
        ordering = ["-id"]
        indexes = [
            # claim(): waiting rows of one queue, by turn
            models.Index(fields=["queue", "next_attempt_at"], condition=Q(state="waiting"), name="message_claim"),
            # an older notice of the same booking to the same recipient; a booking's mails on its page
            models.Index(fields=["booking_id", "id"], name="message_booking"),
            # the limits on mail that a stranger can trigger
            models.Index(fields=["mailbox", "created_at"], name="message_mailbox"),
            # blank(): settled rows that still hold personal data
            models.Index(fields=["settled_at"], condition=Q(blanked_at=None), name="message_blank"),
            # the same of answers to an erasure, which are not kept a day; among the others there are few
            models.Index(
                fields=["settled_at"], condition=Q(blanked_at=None, kind="erasure_done"), name="message_answer"
            ),
            # what a provider reports
            models.Index(
                fields=["provider_message_id"], condition=~Q(provider_message_id=""), name="message_provider_id"
            ),
            # dead letters
            models.Index(fields=["queue", "id"], condition=Q(state__in=GIVEN_UP), name="message_given_up"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class Part(models.Model):
    """One booking of a message about several: what the message would be, were it about this booking alone."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="parts")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # this booking's links hang on it
    kind = models.CharField(max_length=48)
    booking_id = models.BigIntegerField()
    ledger_sequence = models.PositiveIntegerField()

    SENSITIVITY = classify(internal="message uuid kind booking_id ledger_sequence")

    class Meta:
        ordering = ["id"]
        indexes = [
            # what is owed about a booking, beside the messages about it alone
            models.Index(fields=["booking_id"], name="part_booking"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"


class ClosedMailbox(models.Model):
    """Mail does not reach it, or its owner wants none: what others are mailed is told by telephone.

    It counts for requests whose address was proved before; whoever proves it afterwards opens it for theirs.
    """

    mailbox = models.CharField(max_length=254, unique=True)
    why = models.CharField(max_length=16, choices=Delivery.choices)
    since = models.DateTimeField()

    SENSITIVITY = classify(personal="mailbox", internal="why since")

    class Meta:
        verbose_name_plural = "closed mailboxes"
        indexes = [models.Index(fields=["since"], name="closed_mailbox_since")]  # how long it is kept

    def __str__(self) -> str:
        return f"{self.get_why_display()} {self.since}"


class PausedQueue(models.Model):
    """While this row exists nothing more of its queue is claimed; what is owed waits.

    With `retry_at` it is a circuit breaker: the provider refuses our account, and one row at a time tries whether it
    still does. Without, an operator's pause.
    """

    queue = models.CharField(max_length=16, choices=Queue.choices, primary_key=True)
    paused_by = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    paused_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True, blank=True)

    SENSITIVITY = classify(personal="reason", internal="queue paused_by paused_at retry_at")

    def __str__(self) -> str:
        return self.queue
