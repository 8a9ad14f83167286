"""Nothing that a person typed, and nothing that opens a door, comes out: not in logs, metrics, tasks, ledger or errors.

Every kind of request is sent to a booking in every state; most are refused. All that a stranger or an operator's tools
could read of it is searched for planted words, in the log both as it was said and as it is written.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import requests
import time_machine
from django.apps import apps
from django.conf import settings as configured
from django.core.management import call_command
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client as Browser

from backend.bookings import links
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code
from backend.core.personal_data import Sensitivity, personal_columns
from backend.desk.booking.actions.table import ACTIONS
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment
from config import schedule as table
from tests.support import (
    admin_site,
    api,
    leaks,
    log_lines,
    mail_sink,
    roles,
    scenarios,
    sentinels,
    system_health,
    whole_table,
    working_hours,
)
from tests.support.leaks import nothing_in
from tests.support.processes import stack
from tests.support.server import free_port
from tests.support.staff_api import Desk, desk
from tests.support.valkey import Valkey
from workers import mail, payments, schedule, timers
from workers.app import app
from workers.beat import Scheduler

pytestmark = pytest.mark.sqlite_only

Door = Callable[[], HttpResponse]
DAY = timedelta(days=1)
GO = ("/go/cancel/", "/go/again/", "/go/alternative/", "/go/reschedule/", "/go/pay/", "/go/erasure/", "/go/nowhere/")
TEXT = models.CharField | models.TextField | models.JSONField
INTERNAL_TEXTS = {
    model: [
        name for name in personal_columns(model, Sensitivity.INTERNAL) if isinstance(model._meta.get_field(name), TEXT)
    ]
    for model in apps.get_models()
}
TYPED = {"note_to_visitor": sentinels.NOTE, "refund_reason": sentinels.REASON}


@pytest.fixture(autouse=True)
def clock(now: datetime, settings: Any) -> Iterator[time_machine.Traveller]:
    settings.PAYMENT_GATEWAY, settings.DEBUG = "sandbox", False
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"  # nobody answers there
    settings.CELERY_BROKER_URL = f"redis://:{sentinels.BROKER_PASSWORD}@127.0.0.1:1/0"
    # which would look at every static file for each new client
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise")]
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def born(state: State, now: datetime) -> Booking:
    """A booking of the planted person in this state."""
    return scenarios.IN_STATE[state](email=sentinels.EMAIL, now=now, **sentinels.DRAFT)


def tokens_of(booking: Booking, *, after: int = 0) -> set[str]:
    """Every token that was mailed about the booking, in messages after this one."""
    rows = Message.objects.filter(booking_id=booking.pk, pk__gt=after)
    return {token for row in rows for token in links.tokens_of(row.uuid).values()}


# -- every request ----------------------------------------------------------------------------------------------------


def visitors(booking: Booking, now: datetime) -> Iterator[Door]:
    """What the site's scripts send, rightly and wrongly."""
    form = sentinels.form(now)
    for wrong in (
        {},
        {"email": f"{sentinels.EMAIL}@"},
        {"age": 7},
        {"gender": "Zephyrine"},
        {"preferred_date": "Quixhaven"},
    ):
        yield lambda wrong=wrong: api.post(api.DRAFT, form | wrong)
    yield lambda: api.post(api.DRAFT, json.dumps(form).encode()[:-9])
    reference = {"payment_reference": getattr(Payment.objects.filter(booking=booking).first(), "reference", "none")}
    for ack in ({"acknowledgement_id": booking.acknowledgement_id}, {"acknowledgement_id": "Zephyrine"}):
        yield lambda ack=ack: api.get(api.STATUS, ack)
        yield lambda ack=ack: api.post(api.INITIATE, ack)
        yield lambda ack=ack: api.post(api.ASK_TO_CANCEL, ack)
    for email in (sentinels.EMAIL, "zephyrine"):
        yield lambda email=email: api.post(api.STATUS, {"email": email})
    for of_payment in (reference, {"payment_reference": sentinels.TOKEN}):
        yield lambda of_payment=of_payment: api.post(api.COMPLETE, of_payment)
    yield lambda: api.post(api.SEND_EMAIL, {"subject": "Zephyrine Quillfeather", "text": sentinels.ENQUIRY})
    yield lambda: api.post(api.SEND_EMAIL, {"text": ""})
    yield lambda: api.post(api.HOOK, sentinels.PERSON, x_sandbox_signature=sentinels.TOKEN)
    for token in (sentinels.TOKEN, *sorted(tokens_of(booking))):
        for place in (api.VERIFY, api.VERIFY_CANCEL):
            yield lambda token=token, place=place: api.get(place, {"token": token})
        for place in GO:
            yield lambda token=token, place=place: Browser().post(place, {"token": token})
    for place in GO:
        yield lambda place=place: Browser().get(place, {"token": sentinels.TOKEN})


def staff(booking: Booking, now: datetime, at_desk: Desk) -> Iterator[Door]:
    """What a client of the staff API sends."""
    who = booking.psychologist_id or working_hours.psychologist("Dr. New").pk
    place = {"psychologist_id": who, "slot_start": (now + 9 * DAY).isoformat(), "meeting_link": sentinels.MEETING_LINK}
    bodies = {
        "approve": (place, {**place, "slot_start": "Quixhaven"}, {"auto": True}, {}),
        "reject": (TYPED, {**TYPED, "alternatives": [{"psychologist_id": who, "slot_start": place["slot_start"]}]}),
        "cancel": (TYPED, {**TYPED, "refund": "none"}, {"refund": "none"}),
        "reschedule": ({**place, "despite_hours": True}, place),
        "follow-up": ({"slot_starts": [place["slot_start"]], "despite_hours": True}, {"count": 99}),
        "desk-payment": ({},),
        "sponsor": ({"corporate_id": 999},),
        "refund": ({"amount": "500.00"}, {"amount": "Zephyrine"}),
        "refund-made": ({"refund_reference": sentinels.TOKEN},),
        "outcome": ({"outcome": "attended"},),
    }
    for name, given in bodies.items():
        for body in given:
            yield lambda name=name, body=body: at_desk.act(booking, name, body)
    yield lambda: at_desk.get(query={"q": "Zephyrine"})
    yield lambda: at_desk.get(f"{booking.acknowledgement_id}/")
    yield lambda: api.post(
        "/api/staff/login/", {"username": "Zephyrine", "password": sentinels.PASSWORD, "otp": "123456"}
    )
    yield lambda: api.get("/api/staff/bookings/", {"q": sentinels.EMAIL}, authorization=f"Token {sentinels.TOKEN}")


def clerks(booking: Booking, browser: Browser) -> Iterator[Door]:
    """What the admin's pages send."""
    who = booking.psychologist
    for action in ACTIONS:
        url = admin_site.action_url(booking, action.name)
        forms = (
            admin_site.form_of(booking, **TYPED),
            admin_site.session_form(booking, who, meeting_link=sentinels.MEETING_LINK, amount="Zephyrine", **TYPED),
        )
        for sent in forms:
            yield lambda url=url, sent=sent: browser.post(url, sent)
    yield lambda: browser.get(admin_site.page_url(booking))
    yield lambda: browser.post(admin_site.page_url(booking), sentinels.PERSON)
    yield lambda: browser.get(admin_site.list_url(Booking), {"q": "Zephyrine Quillfeather"})
    yield lambda: browser.get("/admin/zephyrine/quillfeather/", {"token": sentinels.TOKEN})
    yield lambda: Browser().post("/admin/login/", {"username": sentinels.EMAIL, "password": sentinels.PASSWORD})
    yield lambda: Browser(enforce_csrf_checks=True).post(
        "/admin/login/", sentinels.PERSON, headers={"referer": sentinels.TOKEN}
    )


@pytest.mark.django_db
@pytest.mark.parametrize("state", State)
def test_nothing_planted_comes_out_of_any_request_to_a_booking_in(state: State, now: datetime) -> None:
    """The desk's pages are drawn in one state: what they show is staff's, and no part of what is searched.

    A state is asked every second door, the next one the others; with TEST_WHOLE_TABLE=1, as in `make security`, all.
    """
    browser, at_desk = admin_site.owner("root"), desk()
    browser.raise_request_exception = False
    secrets = {at_desk.token, browser.cookies[configured.SESSION_COOKIE_NAME].value}
    system_health.healthy(now=now)
    with log_lines.collected(level=logging.DEBUG) as lines:
        booking = born(state, now)
        secrets |= tokens_of(booking)
        last = Message.objects.latest("pk").pk
        kept, refused, statuses = rows(), set(), set()
        doors = (*visitors(booking, now), *staff(booking, now, at_desk), *clerks(booking, browser))
        for door in whole_table.part(doors, list(State).index(state), 2):
            with transaction.atomic(), nullcontext() if state == State.CONFIRMED else roles.undrawn():
                answer = door()
                statuses.add(answer.status_code)
                refused |= errors(answer)
                if answer.status_code < 400:  # else nothing was written
                    kept |= rows()
                    secrets |= tokens_of(booking, after=last)
                transaction.set_rollback(True)
        kept |= tools()
    assert {200, 400, 404} <= statuses
    nothing_in(lines.said, secrets)
    nothing_in(lines.written, secrets)
    nothing_in(kept, secrets)
    nothing_in(
        refused, {at_desk.token, browser.cookies[configured.SESSION_COOKIE_NAME].value}
    )  # who holds a mailed token may read it again


def rows() -> set[str]:
    """All that our models call internal; and the errors of effects, which may quote an address and here do not."""
    kept = [model.objects.values_list(*names) for model, names in INTERNAL_TEXTS.items() if names]
    return {str(row) for query in (*kept, Message.objects.values_list("last_error")) for row in query}


def errors(answer: HttpResponse) -> set[str]:
    """An answer that refuses: under /api/ to a stranger, and every crash. Staff see whom they work for."""
    is_strangers = answer.request["PATH_INFO"].startswith(("/api/", "/go/"))
    if answer.status_code < 400 or answer.request["PATH_INFO"].startswith("/api/staff/") or not is_strangers:
        return {answer.content.decode()} if answer.status_code >= 500 else set()
    return {answer.content.decode(), str(answer.headers)}


def tools() -> set[str]:
    """What operators and their machines read."""
    texts = {Browser().get(place).content.decode() for place in ("/metrics", "/readyz", "/readyz?strict=1", "/livez")}
    for command in (("ops_status",), ("ops_status", "--json"), ("ops_doctor",)):
        out = StringIO()
        try:
            call_command(*command, stdout=out, stderr=out)
        except SystemExit as verdict:
            out.write(str(verdict))
        texts.add(out.getvalue())
    return texts


# -- every code, and every crash --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.urls(leaks.__name__)
def test_no_refusal_of_any_code_logs_what_it_knows() -> None:
    with log_lines.collected(level=logging.DEBUG) as lines:
        for code in Code:
            for door in ("/api/refusing/", "/go/refusing/"):
                answer = Browser(raise_request_exception=False).get(door, {"code": code, "q": sentinels.EMAIL})
                assert answer.status_code < 600
    assert len(lines.said) >= 2 * len(Code)
    nothing_in(lines.said)
    nothing_in(lines.written)


@pytest.mark.django_db
@pytest.mark.urls(leaks.__name__)
def test_no_crash_tells_what_it_stumbled_over() -> None:
    answers = []
    with log_lines.collected(level=logging.DEBUG) as lines:
        for door in ("/api/refusing/", "/go/refusing/", "/admin/crashing/"):
            answer = Browser(raise_request_exception=False).get(door, {"q": sentinels.EMAIL, "token": sentinels.TOKEN})
            answers.append(answer.content.decode() + str(answer.headers))
            assert answer.status_code == 500
        leaks.broken.apply()
    nothing_in(answers)
    nothing_in(lines.written)
    assert [line["error"] for line in lines.parsed()] == ["Planted"] * 4
    assert all("shout" in line["traceback"] for line in lines.parsed())


# -- workers ----------------------------------------------------------------------------------------------------------

ANSWERS = ("250 ok", f"550 no such user {sentinels.EMAIL}", f"451 {sentinels.EMAIL} is over quota", "421 bye")


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_nothing_planted_comes_out_of_drains_and_sweeps(now: datetime, settings: Any) -> None:
    with mail_sink.listening() as sink, log_lines.collected(level=logging.DEBUG) as lines:
        sink.serve(settings)
        booking = born(State.CONFIRMED, now)
        for answer in ANSWERS:
            sink.answer = lambda _envelope, answer=answer: answer
            Message.objects.update(state=MessageState.WAITING, not_before=now, next_attempt_at=now, attempts=0)
            mail.drain()
            payments.drain()
        sink.refuse_recipient = ANSWERS[1]
        Message.objects.update(state=MessageState.WAITING, next_attempt_at=now, attempts=0)
        mail.drain()
        # Django's refusal of such a header quotes it
        Message.objects.update(
            state=MessageState.WAITING, next_attempt_at=now, attempts=0, recipient=f"a\n{sentinels.EMAIL}"
        )
        mail.drain()
        for task, _ in table.TABLE.values():
            if task.startswith("workers.timers."):
                getattr(timers, task.rpartition(".")[2], lambda: None)()
        mail._outlet.close()
    nothing_in(lines.said, tokens_of(booking))
    nothing_in(lines.written, tokens_of(booking))
    nothing_in(rows(), tokens_of(booking))
    spoken = " ".join(lines.said)
    for words in ("SMTP 451", "recipient refused: [550]", "given up", "crashed", "done"):
        assert words in spoken


@pytest.mark.django_db(transaction=True)
def test_tasks_carry_nothing(now: datetime, valkey: Valkey, settings: Any) -> None:
    born(State.CONFIRMED, now)
    schedule.install(table.TABLE)
    before = app.conf.broker_url
    app.conf.broker_url = valkey.url
    try:
        beat = Scheduler(app=app, lazy=True)
        for entry in beat.schedule.values():
            beat.apply_async(entry, producer=beat.producer, advance=False)
        valkey.publish(mail.drain)  # as a drain wakes its helper; the app's own pool may know another URL
        beat.close()
    finally:
        app.conf.broker_url = before
    sent = [
        message.decode()
        for queue in ("mail", "payments", "calls", "timers")
        for message in valkey.client.lrange(queue, 0, -1)
    ]
    assert len(sent) == len(table.TABLE) + 1
    nothing_in(sent)
    for message in map(json.loads, sent):
        assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")
        assert json.loads(b64decode(message["body"]))[:2] == [[], {}]


# -- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_server_writes_no_addresses_of_requests() -> None:
    """The Procfile's own command: tokens and searches stand in addresses, so there is no access log."""
    with stack(broker=False, DEBUG="0", REDIS_URL="redis://127.0.0.1:1/0", WEB_WORKERS="1") as running:
        port = free_port()
        web = running.web(port)
        for place in ("/go/cancel/", "/api/bookings/verify-email/", "/admin/login/", "/nowhere/"):
            request = f"{place}?token={sentinels.TOKEN}&q={sentinels.EMAIL}"
            requests.get(f"http://127.0.0.1:{port}{request}", timeout=10)
        web.stop()
        written = web.log()
    assert "refused link_unknown" in written
    nothing_in([written])
    for line in written.splitlines():
        json.loads(line)
