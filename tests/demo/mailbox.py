"""The mail that the stack wrote: files of Django's file backend, read while they grow."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.demo.expectations import Unexpected

SEPARATOR = b"\n" + b"-" * 79 + b"\n"  # django.core.mail.backends.filebased writes it after each message


@dataclass(frozen=True)
class Mail:
    """One message as it arrived."""

    number: int  # in order of discovery; Message-ID would hide a repetition
    recipients: frozenset[str]
    subject: str
    sent_at: datetime
    text: str
    calendar: str | None  # the attached .ics

    def link(self, start: str) -> str:
        """The one address in the text part that begins with `start`."""
        found: list[str] = re.findall(r"https?://[^\s<>\"]+", self.text)
        links = {link for link in found if link.startswith(start)}
        if len(links) != 1:
            raise Unexpected(f"one link {start}…", f"its text has {len(links)} of them")
        return links.pop()

    def query(self, start: str, name: str) -> str:
        """The query parameter `name` of that link."""
        values = parse_qs(urlsplit(self.link(start)).query).get(name)
        if not values:
            raise Unexpected(f"?{name}= in the link {start}…", "there is none")
        return values[0]

    def mentions(self, word: str) -> bool:
        """Whether subject or text say it."""
        return word in self.subject or word in self.text


class Mailbox:
    """All mail in a folder. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._read_up_to: dict[Path, int] = {}
        self._mails: list[Mail] = []

    def to(self, address: str) -> list[Mail]:
        """The mails to `address`, oldest first."""
        with self._lock:
            for path in sorted(self.folder.glob("*.log")):
                self._read(path)
            return sorted((mail for mail in self._mails if address in mail.recipients), key=_arrival)

    def _read(self, path: Path) -> None:
        """Take in the messages that are complete; the worker may be writing the last one."""
        with path.open("rb") as file:
            file.seek(self._read_up_to.get(path, 0))
            *complete, _rest = file.read().split(SEPARATOR)
        for content in complete:
            self._mails.append(_parsed(content, number=len(self._mails)))
        self._read_up_to[path] = self._read_up_to.get(path, 0) + sum(len(part) + len(SEPARATOR) for part in complete)


def _arrival(mail: Mail) -> tuple[datetime, int]:
    return mail.sent_at, mail.number


def _parsed(content: bytes, *, number: int) -> Mail:
    message = email.message_from_bytes(content, policy=email.policy.default)
    text = message.get_body(preferencelist=("plain",))
    calendars = [part for part in message.iter_attachments() if part.get_content_type() == "text/calendar"]
    return Mail(
        number=number,
        recipients=frozenset(address.addr_spec.lower() for address in message["To"].addresses),
        subject=str(message["Subject"]).strip(),  # the parser keeps the blank of a folded line
        sent_at=message["Date"].datetime,
        text=text.get_content() if text else "",
        calendar=calendars[0].get_content() if calendars else None,
    )


class Inbox:
    """What one reader has read, and what comes next; `about` narrows a shared inbox to one booking."""

    def __init__(self, mailbox: Mailbox, address: str, about: str = "") -> None:
        self.owner = address
        self.read: list[Mail] = []
        self._mailbox = mailbox
        self._about = about

    def next(self, titled: str = "") -> Mail | None:
        """The oldest mail not read yet, of those with `titled` in the subject; it counts as read now."""
        read = {mail.number for mail in self.read}
        unread = [mail for mail in self._mailbox.to(self.owner) if mail.number not in read]
        wanted = (mail for mail in unread if mail.mentions(self._about) and titled in mail.subject)
        found = next(wanted, None)
        if found:
            self.read.append(found)
        return found
