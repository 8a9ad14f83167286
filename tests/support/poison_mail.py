"""A mail backend with a fault no `except` catches: the mails of two recipients kill the process that sends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

DEADLY = "poison@example.org"
DEADLY_ONCE_TAKEN = "slow-poison@example.org"  # the provider has it, and nobody wrote that down


class PoisonedBackend(EmailBackend):
    """SMTP for everybody else."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if any(DEADLY in mail.to for mail in email_messages):
            os.kill(os.getpid(), signal.SIGKILL)
        sent = super().send_messages(email_messages)
        if any(DEADLY_ONCE_TAKEN in mail.to for mail in email_messages):
            os.kill(os.getpid(), signal.SIGKILL)
        return sent
