"""What the processes leave behind so that others can see them, and what operators did about it."""

from __future__ import annotations

from django.db import models

from backend.core.formatting import short_day_and_time
from backend.core.personal_data import classify


class ProcessRole(models.TextChoices):
    """What a process of the Procfile does, in the order of the tables; all but beat work on the queue of that name."""

    MAIL = "mail", "Mail"
    PAYMENTS = "payments", "Payments"
    CALLS = "calls", "Calls"
    TIMERS = "timers", "Timers"
    BEAT = "beat", "Beat"


QUEUES = (
    ProcessRole.MAIL,
    ProcessRole.PAYMENTS,
    ProcessRole.CALLS,
    ProcessRole.TIMERS,
)  # Celery's queues, each served by the workers of its role


class Process(models.Model):
    """A worker's or beat's last sign of life. One that stops properly takes its row away."""

    name = models.CharField(max_length=120, primary_key=True)  # role@NODE_NAME, the same after a restart
    role = models.CharField(max_length=16, choices=ProcessRole.choices)
    seen_at = models.DateTimeField()  # by the database's clock, where the process's own differs
    clock_ahead = models.DurationField(null=True)  # of the database's; negative when behind, None: not compared yet

    SENSITIVITY = classify(internal="name role seen_at clock_ahead")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return self.name


class Canary(models.Model):
    """The last message that went the whole way: beat, queue, worker, this row."""

    queue = models.CharField(max_length=16, choices=ProcessRole.choices, primary_key=True)
    sent_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField()

    SENSITIVITY = classify(internal="queue sent_at arrived_at")

    class Meta:
        ordering = ["queue"]
        verbose_name_plural = "canaries"

    def __str__(self) -> str:
        return self.queue


class IncidentKind(models.TextChoices):
    """What befell a queue of wake-ups, and was mended by the worker itself."""

    DISCARDED = "discarded", "Discarded what was no message"
    RESTARTED = "restarted", "Ended a worker that heard nothing"


class QueueIncident(models.Model):
    """How often something befell a queue, and when last: a count that only grows, for all processes together."""

    queue = models.CharField(max_length=16, choices=ProcessRole.choices)
    kind = models.CharField(max_length=16, choices=IncidentKind.choices)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    SENSITIVITY = classify(internal="queue kind count last_at")

    class Meta:
        ordering = ["queue", "kind"]
        constraints = [models.UniqueConstraint(fields=["queue", "kind"], name="queueincident_queue_kind")]

    def __str__(self) -> str:
        return f"{self.queue} {self.kind}"


class AttemptResult(models.TextChoices):
    """What became of one attempt at an effect."""

    DONE = "done", "Done"
    OBSOLETE = "obsolete", "No longer true"
    SNOOZED = "snoozed", "Not yet"
    FAILED = "failed", "Failed, tried again or given up"
    REFUSED = "refused", "The provider refuses our account"


class AttemptCount(models.Model):
    """How often a queue's attempts came to a result: a count that only grows, for all workers together."""

    queue = models.CharField(max_length=16, choices=ProcessRole.choices)
    result = models.CharField(max_length=16, choices=AttemptResult.choices)
    count = models.PositiveBigIntegerField(default=0)

    SENSITIVITY = classify(internal="queue result count")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "result"], name="attemptcount_queue_result")]

    def __str__(self) -> str:
        return f"{self.queue} {self.result}"


class Counts(models.Model):
    """What one run of a timer did. A row that failed is tried again by the next run."""

    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    examined = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)  # no longer due afterwards
    failed = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=80, blank=True)  # the kind of error that broke the run off; no text, no data

    class Meta:
        abstract = True


class Timer(Counts):
    """A timer's last run, and an operator's wish to run it now. Start and finish are written apart: a run may hang."""

    name = models.CharField(max_length=60, primary_key=True)  # the task's last word: lapse_drafts
    succeeded_at = models.DateTimeField(null=True)  # the start of the last run that came to its end
    asked_at = models.DateTimeField(null=True)  # somebody pressed "run now"; the worker that takes it clears it
    asked_by = models.CharField(max_length=80, blank=True)
    # of all its runs, counts that only grow
    runs_succeeded = models.PositiveBigIntegerField(default=0, db_default=0)
    runs_failed = models.PositiveBigIntegerField(default=0, db_default=0)
    rows_changed = models.PositiveBigIntegerField(default=0, db_default=0)
    rows_failed = models.PositiveBigIntegerField(default=0, db_default=0)

    SENSITIVITY = classify(
        internal=(
            "name started_at finished_at examined changed failed error succeeded_at asked_at asked_by "
            "runs_succeeded runs_failed rows_changed rows_failed"
        ),
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TimerRun(Counts):
    """History: the runs that had something to do, or failed, or were asked for. The idle ones would bury them."""

    timer = models.CharField(max_length=60)
    asked_by = models.CharField(max_length=80, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True, default="", db_default="")

    SENSITIVITY = classify(
        internal="timer started_at finished_at examined changed failed error asked_by correlation_id",
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "run of a timer"
        verbose_name_plural = "runs of timers"
        indexes = [
            models.Index(fields=["timer", "-id"], name="timerrun_timer"),  # a timer's page
            models.Index(fields=["started_at"], name="timerrun_started"),  # forgetting old ones
        ]

    def __str__(self) -> str:
        return f"{self.timer} {short_day_and_time(self.started_at)}"


class Verb(models.TextChoices):
    """What an operator can do."""

    REDRIVE = "redrive", "Re-drove a dead letter"
    DISCARD = "discard", "Discarded a dead letter"
    RELEASE = "release", "Released a lease"
    RUN_TIMER = "run_timer", "Asked for a run of a timer"
    PAUSE = "pause", "Paused a queue"
    RESUME = "resume", "Resumed a queue"
    RESET_FACTOR = "reset_factor", "Reset a second factor"
    INVITE = "invite", "Invited a colleague"
    CHANGE_ROLE = "change_role", "Changed a colleague's role"
    END_ACCESS = "end_access", "Ended a colleague's access"


class Act(models.Model):
    """One thing an operator did: who, when, to what, and why."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)  # text, no foreign key: it outlives the account
    verb = models.CharField(max_length=16, choices=Verb.choices)
    subject = models.CharField(max_length=80)  # a message's kind, a queue, a timer, an account
    message_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    SENSITIVITY = classify(personal="reason", internal="at actor verb subject message_id")

    class Meta:
        ordering = ["-id"]
        verbose_name = "act of an operator"
        verbose_name_plural = "acts of operators"

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.subject}"
