"""In place of a person who opens a mail: reads those that `make run` writes into a folder instead of sending them."""

from __future__ import annotations

import email
import email.policy
import re
import time
from email.message import EmailMessage
from pathlib import Path

END = b"\n" + b"-" * 79 + b"\n"  # Django writes it after each
PATIENCE = 60  # seconds


class Mailbox:
    """Of one reader."""

    def __init__(self, folder: str, address: str) -> None:
        self.folder, self.address = Path(folder), address

    def token(self, title: str, *, page: str = "") -> str:
        """That of the link to `page` in the mail whose subject has `title`, once it is there."""
        for _ in range(PATIENCE):
            for text in (self._text(mail) for mail in self._mails() if title in str(mail["Subject"])):
                if found := re.search(rf"{page}\?token=([\w-]+)", text):
                    return found[1]
            time.sleep(1)
        raise TimeoutError(f"no mail “{title}” to {self.address} in {self.folder}")

    def _mails(self) -> list[EmailMessage]:
        parts = (part for file in self.folder.glob("*.log") for part in file.read_bytes().split(END)[:-1])
        mails = [email.message_from_bytes(part, policy=email.policy.default) for part in parts]
        return [mail for mail in mails if self.address in str(mail["To"])]

    def _text(self, mail: EmailMessage) -> str:
        body = mail.get_body(("plain",))
        return str(body.get_content()) if body else ""
