"""Everybody together: visitors, the practice, the bank and the clock, begun at random points of the life cycle."""

from __future__ import annotations

import inspect
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules

from django.test import override_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from backend.bookings import lifecycle, policy
from backend.bookings.lifecycle import attempts, timers, visitor
from backend.people.models import Corporate
from tests.model.absences import Absences
from tests.model.alternatives import Alternatives
from tests.model.availability import HOUR, days_from, grid
from tests.model.bank import Bank
from tests.model.clock import Clock
from tests.model.data_requests import DataRequests
from tests.model.deliveries import Deliveries
from tests.model.follow_ups import FollowUps
from tests.model.invariants import GRACE
from tests.model.mail_worker import MailWorker
from tests.model.pages import Pages
from tests.model.reconciler import Reconciler
from tests.model.reminder_choices import ReminderChoices
from tests.model.reschedules import Reschedules
from tests.model.series import SeriesActs
from tests.model.slot_booking import WHEN
from tests.model.snapshot import Row
from tests.model.staff import Staff
from tests.model.undoing import Undoing
from tests.model.visitors import Visitors
from tests.model.world import ADDRESSES, SPONSORS_CODE, WHICH, Action, action, actions, drawn_from
from tests.support import jitsi, scenarios

# how far a booking has come when the example begins
STAGES = ("DRAFT", "PENDING", "APPROVED", "PAYMENT_PENDING", "CONFIRMED")
CLOSED = ("CANCELLED", "PAYMENT_FAILED", "REJECTED", "LAPSED")
# intents that no rule calls, each with its reason
NOT_DRIVEN = {
    "inbox.keep_event": "receive_event begins with it",
    "inbox.apply_event": "receive_event ends with it; tests/bookings/lifecycle/test_inbox.py",
    **dict.fromkeys(
        (
            "reconciliation.begin_round",
            "reconciliation.note_listed",
            "reconciliation.note_asked",
            "reconciliation.end_round",
            "reconciliation.note_refunds_compared",
        ),
        "keeps how far the comparison with a gateway is; what it finds goes to `mend`, which a rule drives",
    ),
    "refused_events.note_refused": "keeps a webhook that is not genuine, and touches no booking",
    "enquiries.receive_enquiry": "touches no booking",
    "deliveries.record_text": "speaks of texts, which the model owes none; tests/channels/test_reports.py",
    "telephone.record_told": "settles what staff told by telephone, and touches no booking",
    "calendar_choice.choose_calendar": "changes what a mail carries, and nothing that a rule looks at",
    "disclosure.reveal_phone": "shows a number and records that, and touches no booking",
    "follow_ups.book_follow_up": "book_series calls it for each start",
    "preview.preview_transaction": "rolls an intent back that a rule drives; tests/bookings/lifecycle/test_preview.py",
    "preview.preview_transaction_many": "the same for several",
    "absence.mark_busy": "record_time_off where no session is; tests/desk/test_busy.py",
    "absence.remove_time_off": "touches no booking; tests/desk/test_busy.py",
    "absence.record_time_off": "record_absence begins with it",
    "creation.stored_with": "is no intent: says what is written with a new booking",
    "transaction.expecting": "is no intent: says what state of a booking the next one is meant for",
}
# what doors call, and is no transaction of its own
MADE_OF_INTENTS = {
    "inbox.receive_event",
    "visitor.verify_email",
    "first_fit.approve_first_fit",
    "follow_ups.preview_series",
    "series.preview_move",
    "series.preview_cancellation",
    "absence.record_absence",
    "reconciliation.mend",
}


class Stream(Visitors, Staff, Alternatives, FollowUps, Bank):
    """The way that most bookings go."""

    @action(needs="bookings", times=8, which=WHICH, when=WHEN)
    def go_on(self, which: int, when: timedelta) -> None:
        """One step further, whoever's turn it is."""
        was = self.booking(which, *STAGES[:-1])
        if was.state == "DRAFT":
            found = [link for link in self.seen.booking_links if link.booking_id == was.id]
            if found:
                self.verify_by(found[-1])
        elif was.state == "PENDING":
            self.approve_at(was, self.start(when, None))
        elif was.state == "APPROVED":
            self.begin_to_pay_for(was)
        elif was.state == "PAYMENT_PENDING":
            self.pay_for(next(p for p in self.seen.payments_of(was.id) if p.state == "open"))


ACTIONS = actions(
    Clock,
    Stream,
    Pages,
    Visitors,
    Staff,
    Alternatives,
    FollowUps,
    SeriesActs,
    Reschedules,
    Absences,
    Undoing,
    DataRequests,
    ReminderChoices,
    Bank,
    Reconciler,
    Deliveries,
    MailWorker,
)  # the simplest first: waiting


class Lifecycle(
    Stream,
    Pages,
    SeriesActs,
    Reschedules,
    Absences,
    Undoing,
    DataRequests,
    ReminderChoices,
    Reconciler,
    Clock,
    Deliveries,
    MailWorker,
):
    """The state machine that Hypothesis runs."""

    gives_back = False

    @initialize(
        closed=st.none() | st.sampled_from(CLOSED),
        stages=st.lists(st.sampled_from(STAGES), min_size=1, max_size=len(ADDRESSES) - 1),
        gives_back=st.booleans(),
        a_month=st.sampled_from([1, 2, None]),
        code=st.sampled_from(["", SPONSORS_CODE]),
    )
    def begin(self, closed: str | None, stages: list[str], gives_back: bool, a_month: int | None, code: str) -> None:
        """Bookings of different visitors, brought on their way by the real intents; one has closed meanwhile."""
        self.gives_back, self.a_month = gives_back, a_month
        Corporate.objects.filter(pk=self.corporate).update(sessions_a_month=a_month)
        policy.REFUND_ON_VISITOR_CANCELLATION = "full" if gives_back else "none"
        *others, last = ADDRESSES
        if closed is not None:
            self._close(last, closed, code)
        if closed in CLOSED[:2]:
            self.do(visitor.submit_draft, scenarios.draft_of(last, now=self.now)).went_well()  # and tries anew
        for number, stage in enumerate(stages):
            self._bring(others[number], stage, number, code)

    @rule(action=drawn_from(ACTIONS))
    def turn(self, action: Action) -> None:
        """Somebody does something."""
        self.take(ACTIONS[action.name], action)

    def _bring(self, address: str, stage: str, number: int, code: str = "") -> Row:
        """Its session is the day after tomorrow. Who is sponsored has nothing to pay, and comes further."""

        def booking() -> Row:
            return next(b for b in self.seen.bookings.values() if b.email == address)

        steps = STAGES.index(stage)
        self.do(visitor.submit_draft, scenarios.draft_of(address, now=self.now, sponsor_code=code)).went_well()
        if steps > 0:
            self.verify_by(next(link for link in self.seen.links.values() if link.booking_id == booking().id))
        if steps > 1:
            start = scenarios.slot_tomorrow(self.now) + timedelta(days=1, hours=2 * number)
            self.approve_at(booking(), start).went_well()
        if booking().state == "CONFIRMED":  # sponsored
            return booking()
        if steps > 2:
            self.begin_to_pay_for(booking())
        if steps > 3:
            self.pay_for(self.seen.payments_of(booking().id)[0])
        return booking()

    def _close(self, address: str, state: str, code: str) -> None:
        """CANCELLED: never answered. PAYMENT_FAILED: an attempt was left open until the time to pay was over. REJECTED:
        other times were offered. LAPSED: the address was never proved, and the draft is to be purged by now."""
        if state == "LAPSED":
            booking = self._bring(address, "DRAFT", 0)
            self.now = booking.due_at
            self.do(timers.lapse_draft, booking.id)
            self.now += HOUR
        elif state == "CANCELLED":
            booking = self._bring(address, "PENDING", 0)
            self.now = booking.due_at
            self.do(timers.close_unanswered, booking.id)
        elif state == "REJECTED":
            booking = self._bring(address, "PENDING", 0, code)
            ahead = [start for day in days_from(self.now, 4)[1:] for start in grid(day)]
            self.offer_for(booking, [(self.people.by_hours, ahead[0]), (self.people.anywhere, ahead[-1])])
        else:
            booking = self._bring(address, "PAYMENT_PENDING", 0)
            self.now = booking.pay_by + GRACE
            self.do(attempts.end_idle_attempt, self.seen.payments_of(booking.id)[0].id)
        assert self.seen.bookings[booking.id].state == ("CANCELLED" if state == "LAPSED" else state)


# of a round. Hypothesis varies one example five times after its tenth; fresh ones get further, and shrink no worse
EXAMPLES = 8
TURNS = 50  # of an example


def run(*, seed: int, shrinks: bool = True) -> None:
    """One round. Raises what broke, with the smallest example found. The same seed does the same."""
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=TURNS,
        derandomize=True,  # remembers nothing between runs; the seed decides
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with override_settings(**jitsi.VARIABLES, JITSI_KEY_ID=""):  # so that each online session has a room of its own
        run_state_machine_as_test(seeded(seed)(Lifecycle), settings=how)


def rules() -> set[str]:
    """The names of the model's rules."""
    return set(ACTIONS)


def intents() -> set[str]:
    """Every public intent of the lifecycle, so that a new one asks for its rule, and what doors call in their place."""
    modules = [import_module(f"{lifecycle.__name__}.{found.name}") for found in iter_modules(lifecycle.__path__)]
    found = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, callable)
        if function.__module__ == module.__name__ and hasattr(function, "__wrapped__") and not name.startswith("_")
    }
    return (found - set(NOT_DRIVEN)) | MADE_OF_INTENTS
