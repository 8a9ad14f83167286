"""The life cycle on one page: states, arrows and reasons.

    DRAFT -> PENDING -> APPROVED -> PAYMENT_PENDING -> CONFIRMED -> COMPLETED     (REJECTED, CANCELLED, PAYMENT_FAILED)

Each transition sets the deadline of the state it leads to. Rules that need other rows live in `lifecycle`; nothing but
`lifecycle` calls these methods.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models.base import ModelState

if TYPE_CHECKING:
    # django_fsm's classes are `Any` to the checker, and so would be `Booking`, its manager and every field. Here stands
    # what the machine uses of them, and nothing more; tests/support/typed_models.py fails when they are `Any` again.
    from django_fsm import Transition

    Method = TypeVar("Method", bound=Callable[..., None])

    class ConcurrentTransitionMixin(models.Model):
        class Meta:
            abstract = True

        # these two are added by the field named `state`
        def get_all_state_transitions(self) -> Iterator[Transition]: ...
        def get_available_state_transitions(self) -> Iterator[Transition]: ...
        def _update_initial_state(self) -> None: ...

    class FSMField(models.CharField[str, str]):
        def __init__(
            self, *, choices: list[tuple[str, str]], default: State, max_length: int, protected: bool
        ) -> None: ...

    def transition(
        *,
        field: FSMField,
        source: State | Sequence[State],
        target: State,
        conditions: list[Callable[[models.Model], bool]] = ...,
    ) -> Callable[[Method], Method]: ...
else:
    from django_fsm import ConcurrentTransitionMixin, FSMField, transition


class State(models.TextChoices):
    """In life-cycle order."""

    DRAFT = "DRAFT", "Draft"
    PENDING = "PENDING", "Pending"
    APPROVED = "APPROVED", "Approved"
    PAYMENT_PENDING = "PAYMENT_PENDING", "Payment pending"
    CONFIRMED = "CONFIRMED", "Confirmed"
    COMPLETED = "COMPLETED", "Completed"
    REJECTED = "REJECTED", "Rejected"
    CANCELLED = "CANCELLED", "Cancelled"
    PAYMENT_FAILED = "PAYMENT_FAILED", "Payment failed"


MEANING = {
    State.DRAFT: "recorded, address not proved",
    State.PENDING: "proved, waits for staff",
    State.APPROVED: "slot, psychologist and amount set; waits for payment",
    State.PAYMENT_PENDING: "a payment attempt is open",
    State.CONFIRMED: "paid, or nothing to pay",
    State.COMPLETED: "the session's time has passed",
    State.REJECTED: "the practice declined the request",
    State.CANCELLED: "called off, or lapsed",
    State.PAYMENT_FAILED: "not paid in time, with an attempt open at the end",
}
# what happens when the deadline of a waiting state passes
WHEN_DUE = {
    State.DRAFT: "DRAFT_LIFETIME after the draft: CANCELLED, personal data purged",
    State.PENDING: "ANSWER_WITHIN of open time: CANCELLED, unanswered",
    State.APPROVED: "pay_by and its grace: CANCELLED, not paid in time",
    State.PAYMENT_PENDING: "ATTEMPT_LIFETIME or pay_by, and grace: APPROVED, or PAYMENT_FAILED past pay_by",
    State.CONFIRMED: "COMPLETE_AFTER the slot's end: COMPLETED",
}
AWAITS_PAYMENT = (State.APPROVED, State.PAYMENT_PENDING)
HOLDS_SLOT = (*AWAITS_PAYMENT, State.CONFIRMED)
ACTIVE = (State.PENDING, *HOLDS_SLOT)
TAKES_PLACE = (State.CONFIRMED, State.COMPLETED)  # the session is settled: ahead, on, or over
WAITING = (State.DRAFT, *ACTIVE)
CALLED_OFF = (State.REJECTED, State.CANCELLED, State.PAYMENT_FAILED)
FINAL = (State.COMPLETED, *CALLED_OFF)


class Reason(models.TextChoices):
    """Why a booking closed, or an attempt ended."""

    EMAIL_NOT_VERIFIED = "email_not_verified", "address not proved in time"
    SUPERSEDED = "superseded", "another draft of the same person was proved"
    UNANSWERED = "unanswered", "not answered by the practice in time"
    PAYMENT_TIMED_OUT = "payment_timed_out", "not paid in time"
    ATTEMPT_FAILED = "attempt_failed", "the bank declined the payment"
    ATTEMPT_IDLE = "attempt_idle", "the payment was not finished"
    BY_VISITOR = "by_visitor", "cancelled by the visitor"
    CANCELLED_LATE = "cancelled_late", "cancelled by the visitor inside the last day"
    BY_STAFF = "by_staff", "cancelled by the practice"
    DECLINED = "declined", "declined by the practice"
    LATE_CAPTURE = "late_capture", "paid after the deadline, slot still free"


def _can_be_undone(booking: models.Model) -> bool:
    return isinstance(booking, BookingMachine) and booking.undo_until is not None


def _timed_out(booking: models.Model) -> bool:
    return isinstance(booking, BookingMachine) and booking.reason == Reason.PAYMENT_TIMED_OUT


def _was_asked_to_pay(booking: models.Model) -> bool:
    return getattr(booking, "pay_by", None) is not None


class BookingMachine(ConcurrentTransitionMixin, models.Model):
    """The guarded state, its reason and its deadline. `due_at` is null exactly in final states."""

    state = FSMField(choices=State.choices, default=State.DRAFT, max_length=16, protected=True)
    reason = models.CharField(max_length=24, choices=Reason.choices, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)  # of the last step; whatever happens next clears it

    class Meta:
        abstract = True

    @property
    def state_fields(self) -> tuple[Any]:
        """The one there is, which the mixin looks for among all columns of each row that is read."""
        return (self._meta.get_field("state"),)

    @classmethod
    def from_db(  # type: ignore[override]  # the stubs know a later Django
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        """As Django's, which sets each of fifty columns by its name, and asks each that was not read."""
        read = cls.__new__(cls)
        read._state = ModelState()
        read._state.adding, read._state.db = False, db
        read.__dict__.update(zip(field_names, values, strict=True))
        read._update_initial_state()
        return read

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """As Django's, which fetches by it a column that was not read with the row. Of the mixin's rows the state comes
        along each time: it must not take the place of the one that a transition has just set."""
        state = self.__dict__.get("state")
        super().refresh_from_db(using, fields, from_queryset)
        if fields is not None and "state" not in fields and state is not None:
            self.__dict__["state"] = state

    def _close(self, reason: Reason | str, now: datetime) -> None:
        self.reason, self.due_at, self.closed_at = reason, None, now

    def _wait(self, due_at: datetime, reason: Reason | str = "") -> None:
        self.reason, self.due_at, self.closed_at = reason, due_at, None

    @transition(field=state, source=State.DRAFT, target=State.PENDING)
    def verify(self, *, due_at: datetime) -> None:
        """The visitor proved the address."""
        self._wait(due_at)

    @transition(field=state, source=State.DRAFT, target=State.CANCELLED)
    def lapse(self, *, reason: Reason, now: datetime) -> None:
        """The address was not proved in time, or another draft of the same person was."""
        self._close(reason, now)

    @transition(field=state, source=State.PENDING, target=State.APPROVED)
    def approve(self, *, due_at: datetime) -> None:
        """Staff set psychologist, slot and amount; payment is due."""
        self._wait(due_at)

    @transition(field=state, source=State.PENDING, target=State.CONFIRMED)
    def approve_without_payment(self, *, due_at: datetime) -> None:
        """Staff set psychologist and slot, and nothing is to be paid up front."""
        self._wait(due_at)

    @transition(field=state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, reason: Reason, now: datetime) -> None:
        """Staff declined the request."""
        self._close(reason, now)

    @transition(field=state, source=State.APPROVED, target=State.PAYMENT_PENDING)
    def start_payment(self, *, due_at: datetime) -> None:
        """The visitor began to pay."""
        self._wait(due_at)

    @transition(field=state, source=State.PAYMENT_PENDING, target=State.APPROVED)
    def end_attempt(self, *, due_at: datetime, reason: Reason) -> None:
        """The attempt failed or was left idle, and there is still time for another."""
        self._wait(due_at, reason)

    @transition(field=state, source=[State.APPROVED, State.PAYMENT_PENDING], target=State.CONFIRMED)
    def confirm(self, *, due_at: datetime) -> None:
        """The payment arrived, or staff recorded it."""
        self._wait(due_at)

    @transition(field=state, source=State.CONFIRMED, target=State.APPROVED, conditions=[_was_asked_to_pay])
    def void_payment(self, *, due_at: datetime) -> None:
        """The payment at the desk was recorded by mistake, and there is still time to pay."""
        self._wait(due_at)

    @transition(field=state, source=State.PAYMENT_PENDING, target=State.PAYMENT_FAILED)
    def fail_payment(self, *, reason: Reason, now: datetime) -> None:
        """The time to pay ended while an attempt was open."""
        self._close(reason, now)

    @transition(field=state, source=ACTIVE, target=State.CANCELLED)
    def cancel(self, *, reason: Reason, now: datetime) -> None:
        """Called off by the visitor or by staff, left unanswered, or not paid in time."""
        self._close(reason, now)

    @transition(field=state, source=State.CONFIRMED, target=State.COMPLETED)
    def complete(self, *, now: datetime) -> None:
        """The session's time has passed."""
        self._close("", now)

    @transition(
        field=state,
        source=[State.CANCELLED, State.PAYMENT_FAILED],
        target=State.CONFIRMED,
        conditions=[_timed_out],
    )
    def reinstate(self, *, due_at: datetime) -> None:
        """Late money arrived for a booking that timed out, and its slot is still free."""
        self._wait(due_at, Reason.LATE_CAPTURE)

    @transition(
        field=state,
        source=[State.APPROVED, State.CONFIRMED, State.REJECTED, State.CANCELLED],
        target=State.PENDING,
        conditions=[_can_be_undone],
    )
    def undo_to_pending(self, *, due_at: datetime, reason: Reason | str) -> None:
        """Staff took their answer back, or that they called the request off."""
        self._wait(due_at, reason)

    @transition(field=state, source=State.CANCELLED, target=State.APPROVED, conditions=[_can_be_undone])
    def undo_to_approved(self, *, due_at: datetime, reason: Reason | str) -> None:
        """Staff took back that they called off what was to be paid; an attempt that was open has ended."""
        self._wait(due_at, reason)

    @transition(field=state, source=State.CANCELLED, target=State.CONFIRMED, conditions=[_can_be_undone])
    def undo_to_confirmed(self, *, due_at: datetime, reason: Reason | str) -> None:
        """Staff took back that they called off the session."""
        self._wait(due_at, reason)
