"""Bytes that no client sends, at every address: no 5xx, nothing over a second, and the server lives."""

from __future__ import annotations

import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tests.security.proxied import FROM_PROXY

LONGEST = 1.0  # second
SILENT_AFTER = 2.0  # seconds without an answer
TRICKY = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"%00",
        b"%ff",
        b"%F0%9F",
        b"\r\n",
        b"\r\n\r\n",
        b"{}",
        b"[" * 300,
        b"9" * 400,
        b"-1",
        b"%",
    ),
    *(
        b"'",
        b'"',
        b"<b>",
        b"../",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"1e400",
        b"NaN",
        b"null",
        b"\xe2\x80\xae",
        b"&e=1&",
        b";",
    ),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "\x00")
JSON = (
    b'{"email": "asha@example.org", "token": "x", "acknowledgement_id": "MS-7K2M9P", "text": "a", "slot_starts": '
    b'["2026-11-24T17:30:00+05:30"], "psychologist_id": 1, "amount": "1.00", "preview": true, "age": 31, "otp": "1"}'
)
FORM = b"token=x&psychologist=1&q=a&name=x&_save=Save&action=export&start=2026-11-24T10%3A00&page=2"
QUERY = b"?token=x&q=a&p=1&o=1.2&week=2026-11-24&from=2026-11-24&to=2026-11-30&state__exact=PENDING&all=&mode=ONLINE"


@dataclass(frozen=True)
class Login:
    """What lets a request in, as header lines; empty: nobody."""

    name: str
    headers: tuple[str, ...] = ()
    field: bytes = b""


@dataclass(frozen=True)
class Request:
    """Bytes to send; whole: its head is honest, so it must be answered."""

    data: bytes
    is_whole: bool


def run(url: str, addresses: list[str], logins: list[Login], *, each: int, seed: int) -> bool:
    """Whether every answer was as it must be; `each`: requests to each address as each login."""
    chance, wrong = random.Random(seed), []
    for login in logins:
        statuses: Counter[str] = Counter()
        slowest = 0.0
        for address in addresses:
            for request in requests_to(address, login, each, chance):
                found = judged(url, request)
                statuses[found.status] += 1
                slowest = max(slowest, found.seconds)
                if found.trouble:
                    wrong.append(f"{login.name} {address}: {found.trouble}\n    {request.data[:600]!r}")
        told = ", ".join(f"{status} × {count}" for status, count in sorted(statuses.items()))
        sys.stdout.write(f"{statuses.total()} garbled requests of {login.name}, slowest {slowest:.2f} s: {told}\n")
    sys.stdout.write("".join(f"WRONG  {line}\n" for line in wrong))
    return not wrong


def requests_to(address: str, login: Login, each: int, chance: random.Random) -> Iterator[Request]:
    """A third garbled in its head, the others in query and body, whose length is right."""
    for number in range(each):
        is_whole, is_json = number % 3 > 0, chance.random() < 0.5
        kind = "application/json" if is_json else "application/x-www-form-urlencoded"
        body = _garbled(JSON, chance) if is_json else login.field + _garbled(FORM, chance)
        target = address.encode() + (b"" if chance.random() < 0.3 else _sendable(_garbled(QUERY, chance)))
        head = _head(chance.choice(METHODS[:2] if is_whole else METHODS), target, kind, len(body), login)
        yield Request((head if is_whole else _garbled(head, chance)) + b"\r\n\r\n" + body, is_whole)


def _head(method: str, target: bytes, kind: str, length: int, login: Login) -> bytes:
    lines = [f"{name}: {value}" for name, value in FROM_PROXY.items()]
    lines += [f"Content-Type: {kind}", f"Content-Length: {length}", "Connection: close", *login.headers]
    return method.encode() + b" " + target + b" HTTP/1.1\r\n" + "\r\n".join(lines).encode()


def _sendable(query: bytes) -> bytes:
    """Without what ends a request line: that is the head's to garble."""
    return query.translate(None, b" \r\n")


def _garbled(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, upto = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        upto = min(upto, at + 8)
        how = chance.randrange(4)
        middle = (chance.choice(TRICKY), b"", chance.randbytes(3), data[at:upto] * 3)[how]
        data = data[:at] + middle + data[upto if how else at :]
    return data


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: str  # empty: none
    seconds: float
    trouble: str = ""


def judged(url: str, request: Request) -> Answer:
    """A slow answer is asked for once more: the machine may have been busy."""
    answer = _answered(url, request)
    if not answer.trouble and answer.seconds > LONGEST:
        answer = _answered(url, request)
    if answer.trouble:
        return answer
    if answer.status.startswith("5"):
        return replace(answer, trouble=f"answered {answer.status}")
    if request.is_whole and not answer.status:
        return replace(answer, trouble="not answered")
    return replace(answer, trouble=f"took {answer.seconds:.2f} s") if answer.seconds > LONGEST else answer


def _answered(url: str, request: Request) -> Answer:
    began = time.monotonic()
    try:
        status = _exchanged(url, request.data).split(b" ", 2)[1:2]
    except TimeoutError:  # a garbled head may announce more than there is, and the server waits for it
        return Answer("", 0.0, "no answer" if request.is_whole else "")
    except (BrokenPipeError, ConnectionResetError):  # what is no HTTP is hung up on
        return Answer("", 0.0)
    except OSError as error:
        return Answer("", 0.0, f"the server is gone: {error}")
    return Answer(status[0].decode(errors="replace") if status else "", time.monotonic() - began)


def _exchanged(url: str, data: bytes) -> bytes:
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=SILENT_AFTER) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)
