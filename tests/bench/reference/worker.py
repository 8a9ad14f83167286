"""One Celery task a mail: what most projects have. Its connections to database and provider are kept."""

from __future__ import annotations

import os

import django
from celery import Celery
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils import timezone

from backend.notifications.plain_text import of_html

app = Celery("reference", fixups=[], broker=f"redis+socket://{os.environ['VAR_DIR']}/valkey.sock")
app.conf.update(task_ignore_result=True, task_default_queue="reference", worker_prefetch_multiplier=4)

django.setup()
_kept: dict[str, object] = {}


@app.task
def send(mail_id: int) -> None:
    """Read the row, render, send, note it."""
    from tests.bench.reference.models import Mail

    mail = Mail.objects.get(pk=mail_id)
    html = render_to_string("mail/draft_submitted.html", mail.context)
    subject, text = of_html(html)
    message = EmailMultiAlternatives(subject, text, "us@example.org", [mail.recipient])
    message.attach_alternative(html, "text/html")
    message.connection = _connection()
    message.send()
    Mail.objects.filter(pk=mail_id).update(sent_at=timezone.now())


def owe_all() -> None:
    """A message for each row."""
    from tests.bench.reference.models import Mail

    for mail_id in Mail.objects.values_list("pk", flat=True):
        send.delay(mail_id)


def _connection() -> object:
    if "smtp" not in _kept:
        host, port = os.environ["EMAIL_HOST"], int(os.environ["EMAIL_PORT"])
        _kept["smtp"] = get_connection("django.core.mail.backends.smtp.EmailBackend", host=host, port=port)
        _kept["smtp"].open()  # type: ignore[attr-defined]
    return _kept["smtp"]
