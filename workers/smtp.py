"""Django's SMTP backend with a time-out for each phase, which remembers whether a mail's text had begun to leave.

Connecting, and the commands before each mail's text, each have EMAIL_TIMEOUT in all; the text and the answer to it have
EMAIL_ANSWER_TIMEOUT. A server may take its time there, and who hangs up on it gets the mail sent twice.
"""

from __future__ import annotations

import smtplib
import ssl
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp
from urllib3.util import wait_for_read

FAREWELL_SECONDS = 1  # for QUIT, which nothing depends on
BEGIN_TEXT = 354  # the answer to DATA that asks for the text


class _Phased(smtplib.SMTP):
    """Whatever fails before the text surely came before acceptance; after it only the server's answer tells."""

    text_begun = False
    _ends_at = float("inf")

    def connect(self, *args: Any, **options: Any) -> Any:
        self._begin_phase(self.timeout)
        return super().connect(*args, **options)

    def login(self, *args: Any, **options: Any) -> Any:
        """Raises SMTPNotSupportedError where the password could be read on its way."""
        if not isinstance(self.sock, ssl.SSLSocket):
            raise smtplib.SMTPNotSupportedError("no log-in without encryption")
        return super().login(*args, **options)

    def sendmail(self, *args: Any, **options: Any) -> Any:
        self.text_begun = False
        self._begin_phase(self.timeout)
        return super().sendmail(*args, **options)

    def quit(self) -> Any:
        self._begin_phase(FAREWELL_SECONDS)
        return super().quit()

    def send(self, s: Any) -> None:
        self._limit_wait()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._limit_wait()
        code, reply = super().getreply()
        if code == BEGIN_TEXT:
            self.text_begun = True
            self._begin_phase(settings.EMAIL_ANSWER_TIMEOUT)
        return code, reply

    def is_usable(self) -> bool:
        """Whether the server left it open: while nothing is asked, all there is to read is a farewell."""
        return self.sock is not None and not wait_for_read(self.sock, timeout=0)

    def _begin_phase(self, seconds: float) -> None:
        self._ends_at = monotonic() + seconds

    def _limit_wait(self) -> None:
        """Raises TimeoutError when the phase is over."""
        left = self._ends_at - monotonic()
        if left <= 0:
            raise TimeoutError
        if self.sock is not None:
            self.sock.settimeout(left if left < float("inf") else None)


class _PhasedOverTls(_Phased, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """As Django's."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _PhasedOverTls if self.use_ssl else _Phased

    def text_begun(self) -> bool:
        """Whether the last mail came as far as its text."""
        return isinstance(self.connection, _Phased) and self.connection.text_begun

    def is_usable(self) -> bool:
        """Whether the connection kept from an earlier mail can carry another."""
        return isinstance(self.connection, _Phased) and self.connection.is_usable()
