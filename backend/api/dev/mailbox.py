"""The mails of development, as Django's file backend keeps them: a file for each process, one mail after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from pathlib import Path

from django.conf import settings

SHOWN = 200  # mails; who wants an older one has the files
_END = b"\n" + b"-" * 79 + b"\n"
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_PARSER = BytesParser(policy=policy.default)


@dataclass(frozen=True)
class Part:
    """What a mail carries beside its text and its HTML: an entry of a calendar, a file."""

    number: int
    kind: str  # its Content-Type, with the method of an entry
    name: str
    content: bytes
    text: str  # where it is one


@dataclass(frozen=True)
class Kept:
    """A mail and its place: the file that a process wrote, and which one there."""

    file: str
    number: int
    mail: EmailMessage

    @property
    def sent_at(self) -> datetime:
        """As its header says, to the second."""
        date = self.mail["Date"]
        return date.datetime.astimezone(UTC) if date is not None and date.datetime is not None else _NEVER

    @property
    def text(self) -> str:
        """What a reader without HTML sees."""
        return _said(self.mail.get_body(("plain",)))

    @property
    def html(self) -> str:
        """What the others see."""
        return _said(self.mail.get_body(("html",)))

    @property
    def beside(self) -> list[Part]:
        """Its other parts."""
        bodies = [self.mail.get_body((kind,)) for kind in ("plain", "html")]
        others = [part for part in self.mail.walk() if not part.is_multipart() and part not in bodies]
        return [_part(number, part) for number, part in enumerate(others)]


def is_kept() -> bool:
    """Whether mails are written into files, and do not leave."""
    return bool(settings.EMAIL_BACKEND.endswith(".filebased.EmailBackend"))


def newest() -> list[Kept]:
    """The last ones of all processes, the newest first."""
    found = [one for file in _files() for one in _read(file)[-SHOWN:]]
    return sorted(found, key=lambda one: (one.sent_at, one.file, one.number), reverse=True)[:SHOWN]


def one(file: str, number: int) -> Kept | None:
    """That of this place. A name is looked up, and never a path."""
    mails = [found for path in _files() if path.name == file for found in _read(path)]
    return next((found for found in mails if found.number == number), None)


def _files() -> list[Path]:
    return sorted(Path(settings.EMAIL_FILE_PATH).glob("*.log"))


def _read(path: Path) -> list[Kept]:
    """Without the one that is being written."""
    pieces: Sequence[bytes] = path.read_bytes().split(_END)[:-1]
    return [Kept(path.name, number, _PARSER.parsebytes(piece)) for number, piece in enumerate(pieces)]


def _part(number: int, part: MIMEPart) -> Part:
    content = part.get_payload(decode=True)
    return Part(
        number,
        kind=str(part["Content-Type"]),
        name=part.get_filename() or f"part-{number}",
        content=content if isinstance(content, bytes) else b"",
        text=_said(part) if part.get_content_maintype() == "text" else "",
    )


def _said(part: MIMEPart | None) -> str:
    return "" if part is None else str(part.get_content())
