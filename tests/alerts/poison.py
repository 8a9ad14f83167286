"""A mail that kills its worker: seen as a dead letter everywhere, and sent once though two press at the same moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import requests
from django.contrib.auth import get_user_model
from django.utils import timezone

from backend.ops.models import Act, Verb
from backend.outbox.models import Message, MessageState
from tests.alerts.service import Service
from tests.chaos.figures import Figure, at_most, exactly
from tests.support import api, factor
from tests.support.poison_mail import DEADLY

LETTERS = "/admin/ops/act/dead-letters/"
PASSWORD = "of a test"
HAND_OVERS = 2  # it dies as the mail leaves, so it may have left: nobody but a person tries a third time
SHOWN_WITHIN = 30.0  # seconds from the last attempt; two scrapes and an evaluation are among them


def poison(service: Service) -> list[Figure]:
    """The mail workers get a fault that no `except` catches, and lose it again."""
    people = [_logged_in(service, name) for name in ("asha", "ravi")]
    service.stop(*[name for name in service.workers() if "mail" in name])
    service.start(
        "worker-poisoned", "worker-mail", NODE_NAME="a", DJANGO_SETTINGS_MODULE="tests.support.poison_settings"
    )
    form = api.form(timezone.now(), email=DEADLY)
    assert requests.post(f"{service.url}{api.DRAFT}", json=form, headers={"Origin": api.site()}, timeout=5).ok
    [row] = Message.objects.filter(recipient=DEADLY, kind="draft_submitted")
    died_at = _until_given_up(service, row)
    attempts = _again(row).attempts
    service.until(lambda: "DeadLetters mail" in service.alerts(), "the alert", SHOWN_WITHIN * 3)
    shown = time.monotonic() - died_at
    listed = people[0].get(f"{service.url}{LETTERS}", timeout=10).text.count(DEADLY)
    service.parts.pop("worker-poisoned").end_group()
    service.start("worker-mail-a", "worker-mail", NODE_NAME="a")
    pressed = _pressed_together(service, people, row)
    service.until(lambda: _again(row).state == MessageState.DONE, "the mail")
    service.until(lambda: "DeadLetters mail" not in service.alerts(), "the end of the alert")
    return [
        exactly("poison: attempts before it was given up", attempts, HAND_OVERS),
        exactly("poison: dead letters on the page", listed, 1),
        at_most("poison: given up to alert", round(shown, 1), SHOWN_WITHIN, "s"),
        exactly("poison: of two presses at once, how many did it", pressed, 1),
        exactly("poison: acts recorded", Act.objects.filter(message_id=row.pk, verb=Verb.REDRIVE).count(), 1),
        exactly("poison: mails sent", service.sink.recipients.count([DEADLY]), 1),
    ]


def _again(row: Message) -> Message:
    return Message.objects.get(pk=row.pk)


def _until_given_up(service: Service, row: Message) -> float:
    """Leases and back-offs pass by moving the row in time instead of waiting; the instant of its end."""
    for attempt in range(1, HAND_OVERS + 1):
        service.until(lambda attempt=attempt: _again(row).attempts >= attempt, f"attempt {attempt}")
        now = timezone.now()
        Message.objects.filter(pk=row.pk).update(next_attempt_at=now, lease_expires_at=now - timedelta(seconds=1))
    service.until(lambda: _again(row).state == MessageState.UNKNOWN, "the end of the poison")
    return time.monotonic()


def _logged_in(service: Service, name: str) -> requests.Session:
    account = get_user_model().objects.create_superuser(name, f"{name}@example.org", PASSWORD)
    return factor.logged_in(service.url, name, PASSWORD, factor.app_of(account))


def _pressed_together(service: Service, people: list[requests.Session], row: Message) -> int:
    """Each has the page open and presses; how many are told that it went back to work."""
    url = f"{service.url}{LETTERS}"
    tokens = [factor.token_of(person.get(url, timeout=10).text) for person in people]
    together = Barrier(len(people))

    def press(person: requests.Session, token: str) -> bool:
        typed = {"do": "redrive", "message": str(row.pk), "csrfmiddlewaretoken": token}
        together.wait()
        return "Back to work." in person.post(url, data=typed, headers={"Referer": url}, timeout=10).text

    with ThreadPoolExecutor(len(people)) as many:
        return sum(many.map(press, people, tokens))
