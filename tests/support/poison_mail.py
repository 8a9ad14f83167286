"""A mail backend with a fault no `except` catches: one recipient's mail kills the process that sends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

DEADLY = "poison@example.org"


class PoisonedBackend(EmailBackend):
    """SMTP for everybody else."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if any(DEADLY in mail.to for mail in email_messages):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().send_messages(email_messages)
