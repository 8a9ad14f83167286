"""A mail provider inside the test's process: takes every mail, or fails before or after it could have taken one."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from enum import Enum

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

PROVIDER = "tests.support.mail_provider.EmailBackend"


class ProviderMode(Enum):
    """How it answers."""

    TAKES = "takes"
    REFUSES = "refuses"  # says no, so that surely nothing left
    HANGS_UP = "hangs up"  # after the text, so that nobody knows


class EmailBackend(BaseEmailBackend):
    """One for the whole process: its mode is set by the test."""

    mode = ProviderMode.TAKES

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if self.mode is ProviderMode.REFUSES:
            raise smtplib.SMTPDataError(451, b"busy")
        if self.mode is ProviderMode.HANGS_UP:
            raise smtplib.SMTPServerDisconnected("gone")
        return len(email_messages)
