"""The snapshot tells what is in the database and in the broker at the moment of looking."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection

from backend.bookings import policy
from backend.bookings.lifecycle import reconciliation
from backend.bookings.lifecycle import timers as lifecycle
from backend.bookings.machine import State
from backend.bookings.models import Booking, RequestState
from backend.bookings.retention import RULES, Kind
from backend.ops import findings, gateway_figures
from backend.ops.business_figures import OverdueRule
from backend.ops.findings import Level
from backend.ops.health import DOWN_AFTER, LATE_AFTER, MISSED_FOR, SILENT_AFTER, STALE_AFTER, TimerState
from backend.ops.models import QUEUES, ProcessRole
from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import InboxEvent, PageState, Payment, PaymentState, Reconciliation, Refund
from tests.support import factories, scenarios, system_health
from tests.support.system_health import degraded, take

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
SWEPT = 10 * SECOND  # SWEEP_EVERY


def test_a_healthy_system_has_no_findings(now: datetime) -> None:
    system_health.healthy(now=now)
    assert [found.component for found in findings.judge(take(now))] == ["broker"]


def test_a_snapshot_costs_few_queries_however_much_there_is(now: datetime, django_assert_max_num_queries) -> None:
    system_health.healthy(now=now)
    for number in range(3):
        scenarios.confirmed(f"v{number}@example.org", now=now, at=scenarios.slot_tomorrow(now, 4 + 3 * number))
    with django_assert_max_num_queries(4 if connection.vendor == "postgresql" else 27):
        take(now)


def test_the_outbox_is_counted_by_what_holds_each_row(now: datetime) -> None:
    system_health.dead_letter("dead", now=now)
    system_health.due_message("leased", now=now)
    messages.claim(Queue.MAIL, now=now)
    system_health.due_message("ready", now=now)
    system_health.due_message("scheduled", now=now, not_before=now + timedelta(hours=1))
    backing = system_health.due_message("backing off", now=now - timedelta(minutes=3))
    Message.objects.filter(pk=backing.pk).update(attempts=2, next_attempt_at=now + SECOND)
    health = take(now).health
    assert health
    [mails, payments, _] = health.outbox
    assert (mails.oldest_dead_age, payments.oldest_dead_age) == (timedelta(0), None)
    assert (mails.ready, mails.leased, mails.backing_off, mails.scheduled, mails.dead) == (1, 1, 1, 1, 1)
    assert (mails.oldest_ready_age, mails.oldest_owed_age) == (timedelta(0), timedelta(minutes=3))
    assert (payments.ready, payments.dead, payments.oldest_ready_age) == (0, 0, None)


def test_what_was_snoozed_is_neither_a_failure_nor_late(now: datetime) -> None:
    row = system_health.due_message(now=now - timedelta(days=3))
    Message.objects.filter(pk=row.pk).update(is_snoozed=True, next_attempt_at=now + SECOND)
    health = take(now).health
    assert health
    mails = health.outbox[0]
    assert (mails.ready, mails.backing_off, mails.scheduled, mails.oldest_owed_age) == (0, 0, 1, None)


def test_a_lease_that_ended_is_ready_again(now: datetime) -> None:
    system_health.due_message(now=now)
    messages.claim(Queue.MAIL, now=now)
    after = take(now + attempts.LEASE).health
    assert after
    assert (after.outbox[0].ready, after.outbox[0].leased) == (1, 0)


@pytest.mark.parametrize("role", list(ProcessRole))
def test_a_process_is_gone_once_it_was_silent_for_long_enough(role: ProcessRole, now: datetime) -> None:
    system_health.healthy(now=now)
    system_health.silent(role, SILENT_AFTER)
    assert degraded(now) == []
    assert degraded(now + SECOND) == ["beat" if role == ProcessRole.BEAT else f"worker-{role}"]


def test_one_silent_worker_is_missed_beside_others_for_an_hour(now: datetime) -> None:
    system_health.healthy(now=now)
    system_health.silent(ProcessRole.MAIL, SILENT_AFTER + SECOND)
    system_health.heartbeats.record_heartbeat("mail@other", ProcessRole.MAIL, now=now)
    assert degraded(now) == ["worker-mail"]
    system_health.silent(ProcessRole.MAIL, MISSED_FOR)
    system_health.heartbeats.record_heartbeat("mail@other", ProcessRole.MAIL, now=now)
    assert degraded(now) == []


def test_a_process_that_stopped_on_purpose_is_not_missed(now: datetime) -> None:
    system_health.healthy(now=now)
    system_health.heartbeats.record_heartbeat("mail@other", ProcessRole.MAIL, now=now)
    system_health.heartbeats.remove_heartbeat("mail@other")
    assert degraded(now + SECOND) == []


def test_signs_and_canaries_of_a_time_to_come_are_of_before_the_clock_was_set_back(now: datetime) -> None:
    system_health.healthy(now=now)
    assert degraded(now - SILENT_AFTER) == []
    everything = {"beat", *(f"{part}-{queue}" for part in ("worker", "canary") for queue in QUEUES)}
    assert set(degraded(now - STALE_AFTER - SECOND)) == everything


@pytest.mark.parametrize("queue", ["mail", "payments", "calls", "timers"])
def test_a_canary_goes_stale(queue: str, now: datetime) -> None:
    system_health.healthy(now=now)
    system_health.stale(ProcessRole(queue), STALE_AFTER)
    assert degraded(now) == []
    system_health.stale(ProcessRole(queue), SECOND)
    assert degraded(now) == [f"canary-{queue}"]


def timer(now: datetime, name: str = "lapse_drafts"):
    health = take(now).health
    assert health
    return next(found for found in health.timers if found.name == name)


def test_a_timer_is_new_up_late_and_down(now: datetime) -> None:
    system_health.install_schedule()
    assert timer(now).state is TimerState.NEW
    system_health.healthy(now=now)
    due = now + SWEPT
    assert (timer(now).due_at, timer(now).lateness) == (due, timedelta(0))
    assert timer(due + LATE_AFTER).state is TimerState.UP
    assert timer(due + LATE_AFTER + SECOND).state is TimerState.LATE
    assert timer(due + DOWN_AFTER).state is TimerState.LATE
    assert timer(due + DOWN_AFTER + SECOND).state is TimerState.DOWN
    assert timer(due + DOWN_AFTER + SECOND).lateness == DOWN_AFTER + SECOND


def test_a_timer_that_only_crashes_goes_down(now: datetime) -> None:
    system_health.healthy(now=now)
    later = now + SWEPT + DOWN_AFTER + SECOND
    with pytest.raises(ZeroDivisionError), system_health.heartbeats.timer_run("lapse_drafts", clock=lambda: later):
        _ = 1 / 0
    found = timer(later)
    assert (found.state, found.error, found.started_at) == (TimerState.DOWN, "ZeroDivisionError", later)
    assert "timers" in degraded(later)


def test_a_timer_an_operator_switched_off_is_said_to_be_off(now: datetime) -> None:
    from django_celery_beat.models import PeriodicTask

    system_health.healthy(now=now)
    PeriodicTask.objects.filter(name="lapse drafts").update(enabled=False)
    assert timer(now + timedelta(days=1)).state is TimerState.OFF


def test_bookings_are_counted_by_state_and_overdue_by_rule(now: datetime) -> None:
    scenarios.submitted(now=now)
    booking = scenarios.pending(scenarios.RAVI, now=now)
    later = booking.due_at + timedelta(minutes=10)
    figures = take(later).figures
    assert figures
    assert (figures.bookings[State.DRAFT], figures.bookings[State.PENDING]) == (1, 1)
    assert set(figures.bookings) == set(State)
    rules = {rule.rule: (rule.count, rule.oldest_age) for rule in figures.overdue}
    assert rules[OverdueRule.REQUEST_UNANSWERED] == (1, timedelta(minutes=10))
    assert rules[OverdueRule.DRAFT_LAPSES] == (1, later - (now + policy.DRAFT_LIFETIME))
    assert rules[OverdueRule.SESSION_OVER] == (0, None)
    assert set(rules) == set(OverdueRule)
    assert "deadlines" in [found.component for found in findings.judge(take(later))]


def test_wishes_to_cancel_that_nobody_proved_are_counted_over_all_states(now: datetime) -> None:
    earlier, later = scenarios.pending(now=now), scenarios.confirmed(scenarios.RAVI, now=now)
    asked_at = now + timedelta(minutes=1)
    Booking.objects.filter(pk=earlier.pk).update(cancellation_requested_at=now)
    Booking.objects.filter(pk=later.pk).update(cancellation_requested_at=asked_at)

    def unproved(at: datetime) -> tuple[int, timedelta | None]:
        figures = take(at).figures
        assert figures
        return next(
            (row.count, row.oldest_age) for row in figures.overdue if row.rule is OverdueRule.CANCELLATION_UNPROVED
        )

    lapses_at = now + policy.CANCEL_LINK_LIFETIME
    assert unproved(lapses_at - SECOND) == (0, None)
    assert unproved(lapses_at) == (1, timedelta(0))
    assert unproved(lapses_at + timedelta(minutes=1)) == (2, timedelta(minutes=1))


def test_a_draft_that_waits_for_the_next_purge_is_no_finding(now: datetime) -> None:
    """Purges run every ten minutes, sweeps every ten seconds."""
    system_health.healthy(now=now)
    booking = scenarios.submitted(now=now)
    lapsed_at = now + policy.DRAFT_LIFETIME
    lifecycle.lapse_draft(booking.pk, now=lapsed_at)
    purged_at = lapsed_at + RULES[Kind.DRAFTS].kept

    def named(at: datetime) -> bool:
        return "deadlines" in [found.component for found in findings.judge(take(at))]

    assert not named(purged_at + findings.OVERDUE_LATER[OverdueRule.DRAFT_PURGED])
    assert named(purged_at + findings.OVERDUE_LATER[OverdueRule.DRAFT_PURGED] + SECOND)


@pytest.mark.sqlite_only
def test_a_person_without_an_answer_is_a_finding_before_the_deadline_presses(now: datetime) -> None:
    system_health.healthy(now=now)
    request = factories.make_data_request(RequestState.WAITING, now=now)
    factories.make_data_request(RequestState.ASKED, now=now, booking=request.booking, client=None, deadline=now)

    def left(at: datetime) -> tuple[timedelta | None, bool]:
        snapshot = take(at)
        assert snapshot.figures
        found = [found.component for found in findings.judge(snapshot)]
        return snapshot.figures.data_request_left, "data requests" in found

    presses_at = request.deadline - policy.DATA_REQUEST_PRESSES
    assert left(presses_at) == (policy.DATA_REQUEST_PRESSES, False)
    assert left(presses_at + SECOND) == (policy.DATA_REQUEST_PRESSES - SECOND, True)


def test_mails_are_counted_by_template_and_result_for_a_day(now: datetime) -> None:
    for number in range(3):
        system_health.due_message(str(number), now=now)
    Message.objects.filter(dedupe_key__in=["0", "1"]).update(state=MessageState.DONE, settled_at=now)
    Message.objects.filter(dedupe_key="2").update(state=MessageState.DEAD, settled_at=now)

    def mails(at: datetime) -> list[tuple[str, str, int]]:
        figures = take(at).figures
        assert figures
        return [(row.template, row.result, row.count) for row in figures.mails]

    assert mails(now) == [("booking_approved", "dead", 1), ("booking_approved", "done", 2)]
    assert mails(now + timedelta(days=1)) == []


def test_open_payments_and_refunds_are_counted(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    _, payment = scenarios.paying(now=now)
    for number, state in enumerate(("queued", "unfinished", "done", "refused")):
        Refund.objects.create(
            payment=payment, reference=f"r{number}", amount_paise=1, reason="x", actor="x", state=state, queued_at=now
        )
    for number, result in enumerate(("quarantined", "confirmed")):
        InboxEvent.objects.create(gateway="g", event_id=str(number), kind="x", result=result, received_at=now)
    taken = take(now + timedelta(hours=1))
    figures = taken.figures
    assert figures
    assert (figures.payments_open, figures.refunds_due, figures.refunds_refused) == (1, 2, 1)
    assert "payments" in findings.components(findings.judge(taken), Level.WARNING)
    later = take(now + timedelta(days=7)).figures
    assert later
    assert (figures.gateways.quarantined, later.gateways.quarantined) == (1, 0)
    assert (figures.oldest_payment_age, figures.oldest_refund_age) == (timedelta(hours=1), timedelta(hours=1))


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("row", "component", "lasts"),
    [
        ({"result": "untold"}, "webhooks", gateway_figures.UNTOLD_SHOWN_FOR),
        ({"result": "refused"}, "webhooks", gateway_figures.REFUSED_SHOWN_FOR),
        ({"result": "quarantined"}, "payments", gateway_figures.QUARANTINE_SHOWN_FOR),
    ],
)
def test_an_event_to_look_into_is_a_finding_for_a_while(
    row: dict[str, str], component: str, lasts: timedelta, now: datetime
) -> None:
    InboxEvent.objects.create(gateway="g", event_id="1", kind="x", received_at=now, applied_at=now, **row)
    assert component in named(now + lasts - SECOND)
    assert component not in named(now + lasts)


@pytest.mark.sqlite_only
def test_an_event_that_waits_a_page_left_open_and_books_not_compared_are_findings(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    event = InboxEvent.objects.create(gateway="g", event_id="1", kind="x", received_at=now)
    assert "webhooks" not in named(now + findings.EVENT_WAITS_FOR)
    assert "webhooks" in named(now + findings.EVENT_WAITS_FOR + SECOND)
    event.delete()
    _, payment = scenarios.paying(now=now)
    payments = Payment.objects.filter(pk=payment.pk)
    payments.update(page_state=PageState.OPEN, state=PaymentState.IDLE, closed_at=now)
    assert "payments" not in named(now + gateway_figures.PAGE_LEFT_AFTER)
    assert "payments" in named(now + gateway_figures.PAGE_LEFT_AFTER + SECOND)
    payments.update(page_state=PageState.CLOSED)
    reconciliation.begin_round(payment.pk, now=now)
    Reconciliation.objects.update(begun_at=now + findings.UNCOMPARED_AFTER)
    assert "payments" not in named(now)
    Reconciliation.objects.update(begun_at=now + findings.UNCOMPARED_AFTER + SECOND)
    assert "payments" in named(now)
    Reconciliation.objects.update(completed_at=now + SECOND)
    assert "payments" not in named(now)


def named(at: datetime) -> list[str]:
    """The components of all findings."""
    return [found.component for found in findings.judge(take(at))]


def test_a_paused_queue_and_rows_nobody_claims_degrade(now: datetime) -> None:
    system_health.healthy(now=now)
    system_health.due_message(now=now - findings.BEHIND_AFTER)
    assert degraded(now) == []
    assert degraded(now + SECOND) == ["outbox-mail"]
    messages.pause(Queue.PAYMENTS, by="staff:asha", reason="x", now=now)
    assert degraded(now) == ["outbox-payments"]
