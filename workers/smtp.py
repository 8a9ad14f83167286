"""Django's SMTP backend with a time-out for each phase, which remembers whether a mail's text had begun to leave.

Connecting, and the commands before each mail's text, each have EMAIL_TIMEOUT in all; the text and the answer to it have
EMAIL_ANSWER_TIMEOUT. A server may take its time there, and who hangs up on it gets the mail sent twice.

To a server that takes them so, sender, recipient and DATA go together (RFC 2920): two trips to it in place of four.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp
from urllib3.util import wait_for_read

FAREWELL_SECONDS = 1  # for QUIT, which nothing depends on
BEGIN_TEXT = 354  # the answer to DATA that asks for the text
TAKEN = (250, 251)


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

    def sendmail(self, sender: str, recipients: Sequence[str], text: bytes, *args: Any, **options: Any) -> Any:  # type: ignore[override]  # Django gives bytes
        self.text_begun = False
        self._begin_phase(self.timeout)
        self.ehlo_or_helo_if_needed()
        if len(recipients) == 1 and self.has_extn("pipelining"):
            return self._send_together(sender, recipients[0], text)
        return super().sendmail(sender, recipients, text, *args, **options)

    def _send_together(self, sender: str, recipient: str, text: bytes) -> dict[str, Any]:
        """Raises what `sendmail` raises, at the first refusal; the connection ends with it."""
        size = f" size={len(text)}" if self.has_extn("size") else ""
        commands = (f"MAIL FROM:{smtplib.quoteaddr(sender)}{size}", f"RCPT TO:{smtplib.quoteaddr(recipient)}", "DATA")
        if any(sign in command for command in commands for sign in "\r\n"):
            raise ValueError("an address of two lines")
        self.send("".join(f"{command}\r\n" for command in commands))
        try:
            if (answer := self.getreply())[0] not in TAKEN:
                raise smtplib.SMTPSenderRefused(*answer, sender)
            if (answer := self.getreply())[0] not in TAKEN:
                raise smtplib.SMTPRecipientsRefused({recipient: answer})
            if (answer := self.getreply())[0] != BEGIN_TEXT:
                raise smtplib.SMTPDataError(*answer)
            self.send(_as_data(text))
            if (answer := self.getreply())[0] not in TAKEN:
                raise smtplib.SMTPDataError(*answer)
        except smtplib.SMTPException:
            self.close()
            raise
        return {}

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


def _as_data(text: bytes) -> bytes:
    """RFC 5321, 4.5.2: a line of the text that begins with a dot gets another; one alone is the end."""
    stuffed = text.removesuffix(b"\r\n").replace(b"\n.", b"\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b"\r\n.\r\n"


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
