"""Django's SMTP backend, which remembers whether a mail's text had begun to leave when the connection broke."""

from __future__ import annotations

import smtplib
from typing import Any

from django.core.mail.backends import smtp


class _Remembers(smtplib.SMTP):
    """Whatever fails before DATA surely came before acceptance; after it only the server's answer tells."""

    text_begun = False

    def sendmail(self, *args: Any, **options: Any) -> Any:
        self.text_begun = False
        return super().sendmail(*args, **options)

    def data(self, msg: Any) -> Any:
        self.text_begun = True
        return super().data(msg)


class _RemembersOverTls(_Remembers, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """As Django's."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _RemembersOverTls if self.use_ssl else _Remembers

    def text_begun(self) -> bool:
        """Whether the last mail came as far as DATA."""
        return isinstance(self.connection, _Remembers) and self.connection.text_begun
