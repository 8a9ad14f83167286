"""The operations pages: for operators alone, true at each look, and safe to press on."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser
from django.urls import reverse

from backend.core import correlation
from backend.ops import heartbeats, operator_actions
from backend.ops.models import Act, Process, ProcessRole, Timer, TimerRun
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, PausedQueue, Queue
from tests.support import scenarios, system_health
from tests.support.admin_site import clerk, list_url, logged_in, owner, page_url

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
NASTY = "<script>alert(1)</script>"
LETTERS = "/admin/ops/act/dead-letters/"
PAGES = {
    "overview": [],
    "schedules": [],
    "dead_letters": [],
    "timer": ["lapse_drafts"],
    "queue": ["mail"],
}


def url(name: str) -> str:
    return reverse(f"admin:ops_{name}", args=PAGES[name])


def said(response) -> str:
    """The messages that the next page shows."""
    return " ".join(str(message) for message in response.context["messages"])


def press(browser: Browser, where: str, **form: object) -> str:
    response = browser.post(where, form, follow=True)
    assert response.status_code == 200
    return said(response)


def test_a_command_in_advice_is_code(now: datetime) -> None:
    system_health.healthy(now=now)
    messages.emit(queue=Queue.MAIL, kind="booking_received", dedupe_key="a", now=now, recipient="asha@example.org")
    Message.objects.update(state=MessageState.DEAD, settled_at=now)
    page = owner().get(url("overview")).content.decode()
    assert "<code>python manage.py dead_letters list</code>; mend the cause" in page


@pytest.mark.parametrize("page", list(PAGES))
def test_an_operator_sees_the_page_and_nobody_else(page: str, now: datetime) -> None:
    system_health.healthy(now=now)
    everything = User.objects.create_user("manager", is_staff=True)
    everything.user_permissions.set(Permission.objects.exclude(codename="add_act"))
    assert owner().get(url(page)).status_code == 200
    assert clerk("operator", "add_act").get(url(page)).status_code == 200
    for method in ("get", "post"):
        assert getattr(logged_in(everything), method)(url(page)).status_code == 404
        refused = getattr(Browser(), method)(url(page))
        assert (refused.status_code, refused["Location"].startswith("/admin/login/")) == (302, True)


@pytest.mark.parametrize("model", [Act, TimerRun, Process])
def test_records_are_read_by_operators_and_edited_by_nobody(model, now: datetime) -> None:
    system_health.healthy(now=now)
    operator_actions.run_timer("lapse_drafts", actor="staff:asha", now=now)
    with heartbeats.timer_run("lapse_drafts", clock=lambda: now, asked_by="staff:asha"):
        pass
    browser, row = owner(), model.objects.first()
    assert browser.get(list_url(model)).status_code == 200
    assert browser.get(page_url(row)).status_code == 200
    assert browser.post(page_url(row), {}).status_code == 404
    everything = User.objects.create_user("manager", is_staff=True)
    everything.user_permissions.set(Permission.objects.exclude(content_type__app_label="ops"))
    assert logged_in(everything).get(list_url(model)).status_code == 404


def test_the_menu_leads_to_the_overview_and_the_overview_everywhere(now: datetime) -> None:
    system_health.healthy(now=now)
    browser = owner()
    assert url("overview") in browser.get("/admin/").text
    overview = browser.get(url("overview")).text
    for page in PAGES:
        assert url(page) in overview


def test_the_overview_tells_what_is_wrong_and_refreshes_itself(now: datetime) -> None:
    system_health.healthy(now=now)
    browser = owner()
    assert "No beat is at work." not in browser.get(url("overview")).text
    system_health.silent(ProcessRole.BEAT, timedelta(minutes=1))
    part = browser.get(url("overview"), {"part": "live"}).text
    assert "No beat is at work." in part
    assert "<html" not in part
    assert "?part=live" in browser.get(url("overview")).text


def test_the_overview_is_shown_without_anything_installed() -> None:
    assert owner().get(url("overview")).status_code == 200


def test_nothing_that_was_typed_or_answered_becomes_markup(now: datetime) -> None:
    system_health.healthy(now=now)
    heartbeats.record_heartbeat(f"mail@{NASTY}", ProcessRole.MAIL, now=now)
    row = system_health.dead_letter(now=now, error=NASTY, recipient=f'"{NASTY}"@example.org')
    system_health.dead_letter("2", now=now, kind=NASTY)
    held = system_health.due_message("3", now=now, kind=NASTY)
    messages.claim(Queue.MAIL, now=now)
    operator_actions.pause(Queue.MAIL, actor=f"staff:{NASTY}", reason=NASTY, now=now)
    operator_actions.discard(row.pk, actor=f"staff:{NASTY}", reason=NASTY, now=now)
    system_health.dead_letter("4", now=now, error=NASTY, queue=Queue.PAYMENTS)
    with heartbeats.timer_run("lapse_drafts", clock=lambda: now, asked_by=NASTY):
        pass
    browser = owner()
    assert held.pk
    for page in [*(url(name) for name in PAGES), list_url(Act), list_url(TimerRun), f"{LETTERS}?error={NASTY}"]:
        text = browser.get(page).text
        assert NASTY not in text, page
    assert "&lt;script&gt;" in browser.get(LETTERS).text


def test_an_effect_is_found_by_the_correlation_id_of_its_request(now: datetime) -> None:
    correlation.begin("one-request")
    row = system_health.due_message("1", now=now)
    correlation.begin("another-one")
    system_health.due_message("2", now=now)
    found = owner().get(list_url(Message), {"q": "one-request"}).context["cl"].result_list
    assert list(found) == [row]


def test_a_timers_page_leads_to_its_entry_in_the_schedule(now: datetime) -> None:
    system_health.healthy(now=now)
    browser = owner()
    [link] = re.findall(r'href="([^"]+)">Its entry', browser.get(url("timer")).text)
    [entry] = browser.get(html.unescape(link)).context["cl"].result_list
    assert entry.task == "workers.timers.lapse_drafts"
    operator = clerk("operator", "view_timerrun", "add_act")
    assert "Its entry" not in operator.get(url("timer")).text


def test_a_dead_letter_names_its_booking_as_people_do_and_leads_there_who_may_see_it(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    system_health.dead_letter(now=now, booking_id=booking.pk)
    [(_, _, named)] = owner().get(LETTERS).context["letters"]
    assert named == booking.acknowledgement_id
    assert page_url(booking) in owner("second").get(LETTERS).text
    assert page_url(booking) not in clerk("operator", "add_act").get(LETTERS).text


def test_a_dead_letter_is_tried_again_once(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    asha, ravi = owner("asha"), owner("ravi")
    assert press(asha, LETTERS, do="redrive", message=row.pk) == "Back to work."
    assert press(ravi, LETTERS, do="redrive", message=row.pk).startswith("It is dead no more")
    act = Act.objects.get()
    assert (act.actor, act.verb, act.at) == ("staff:asha", "redrive", now)


def test_dead_letters_are_filtered_and_all_that_are_left_move_at_the_rate(now: datetime) -> None:
    mails = [system_health.dead_letter(f"m{number}", now=now) for number in range(3)]
    work = system_health.dead_letter("w", now=now, queue=Queue.PAYMENTS, kind="make_refund")
    browser = owner()
    page = browser.get(LETTERS, {"queue": "mail"})
    assert [row for row, *_ in page.context["letters"]] == mails
    assert press(browser, f"{LETTERS}?queue=mail", do="redrive_all", rate=30) == "3 back to work, 30 a minute."
    turns = sorted(Message.objects.filter(queue="mail").values_list("next_attempt_at", flat=True))
    assert turns == [now + timedelta(seconds=2 * number) for number in range(3)]
    assert press(browser, f"{LETTERS}?kind=make_refund", do="discard_all", reason="test data") == "1 discarded."
    assert Message.objects.get(pk=work.pk).state == MessageState.DISCARDED


@pytest.mark.parametrize(
    "form",
    [
        {"do": "discard", "message": "{pk}", "reason": " "},
        {"do": "discard_all"},
        {"do": "redrive_all", "rate": "0"},
        {"do": "redrive_all", "rate": "-1"},
        {"do": "redrive_all", "rate": "1e9"},
        {"do": "redrive", "message": "x"},
        {"do": "redrive", "message": "9" * 30},
        {"do": "nonsense"},
        {},
    ],
)
def test_a_form_that_is_not_complete_moves_nothing(form: dict[str, str], now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    typed = {name: value.format(pk=row.pk) for name, value in form.items()}
    assert press(owner(), LETTERS, **typed)
    assert Message.objects.get(pk=row.pk).state == MessageState.DEAD
    assert not Act.objects.exists()


def test_a_queue_is_paused_with_a_reason_and_resumed(now: datetime) -> None:
    browser = owner("asha")
    assert press(browser, url("queue"), do="pause") == "Say why: others will wonder."
    assert press(browser, url("queue"), do="pause", reason="provider").startswith("Paused.")
    assert PausedQueue.objects.get().paused_by == "staff:asha"
    assert "Paused by staff:asha since Mon 23 Nov 2026, 10:00 IST: provider" in browser.get(url("queue")).text
    assert press(browser, url("queue"), do="pause", reason="again") == "It was paused already."
    assert press(browser, url("queue"), do="resume") == "Resumed."
    assert press(browser, url("queue"), do="resume") == "It was not paused."


def test_a_lease_is_released_from_the_queues_page(now: datetime) -> None:
    row = system_health.due_message(now=now)
    messages.claim(Queue.MAIL, now=now)
    browser = owner()
    assert [found for _, found in browser.get(url("queue")).context["held"]] == [row]
    assert press(browser, url("queue"), do="release", message=row.pk).startswith("Released")
    assert press(browser, url("queue"), do="release", message=row.pk).startswith("It is in nobody's")
    assert press(browser, url("queue"), do="release", message="9" * 5000) == "Nothing was done."


def test_a_timer_is_asked_for_and_its_history_shown(now: datetime) -> None:
    system_health.healthy(now=now)
    browser = owner("asha")
    assert press(browser, url("timer")).startswith("lapse_drafts runs as soon as")
    assert press(browser, url("timer")) == "A run of lapse_drafts was asked for already."
    assert Timer.objects.get(pk="lapse_drafts").asked_by == "staff:asha"
    correlation.begin("a-trace")
    with heartbeats.timer_run("lapse_drafts", clock=lambda: now, asked_by="staff:asha") as run:
        run.examined, run.changed = 7, 6
    with heartbeats.timer_run("purge_links", clock=lambda: now) as run:
        run.examined = run.failed = 1
    [(shown, _)] = browser.get(url("timer")).context["history"]
    at = "2026-11-23 04:30:00Z"
    ours = ("lapse_drafts", at, at, "7", "6", "0", "–", "staff:asha", "a-trace")
    assert [row.cells for row in shown.rows] == [ours]
    [_, (everything, _)] = browser.get(url("schedules")).context["tables"]
    assert [row.subject for row in everything.rows] == ["purge_links", "lapse_drafts"]
    assert everything.rows[1].cells == ours


@pytest.mark.parametrize("path", ["timers/canary/", "timers/nothing/", "queues/timers/", "queues/nothing/"])
def test_what_does_not_exist_is_not_found(path: str, now: datetime) -> None:
    system_health.healthy(now=now)
    browser = owner()
    assert browser.get(f"/admin/ops/act/{path}").status_code == 404
    assert browser.post(f"/admin/ops/act/{path}", {"do": "pause", "reason": "x"}).status_code == 404
    assert not Act.objects.exists()
