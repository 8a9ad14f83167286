"""What is typed: line ends, costly texts, dates at the ends of time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from tests.demo.site import form
from tests.security.attacks.identities import all_recipients
from tests.security.attacks.target import EVIL, SLOW, Target


def lines_in_mail(target: Target) -> Iterator[str]:
    """Line ends in a name or a subject, all that Unicode has: a header or a recipient of their own."""
    for end in ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\u202e"):
        address = f"lines-{time.time_ns()}@example.org"
        typed = form(address, f"Asha{end}Bcc: mallory@{EVIL}")
        answer = target.ask(
            "POST", "/api/bookings/draft/", json=typed, headers={"X-Forwarded-For": f"203.0.113.{ord(end[0]) % 250}"}
        )
        if answer.status_code >= 500:
            yield f"{end!r} in a name: {answer.status_code}"
        target.ask(
            "POST",
            "/api/send-email/",
            json={"text": "x", "subject": f"Hello{end}Bcc: mallory@{EVIL}", "email": address},
        )
    time.sleep(6)
    if any(EVIL in one for recipients in all_recipients(target.mail) for one in recipients):
        yield "a mail went to mallory"
    raw = b"".join(path.read_bytes() for path in target.mail.glob("*.log"))
    if f"\nBcc: mallory@{EVIL}".encode() in raw:
        yield "a header of its own stands in a mail"


def lines_in_logs(target: Target) -> Iterator[str]:
    """Line ends, escape sequences and JSON in what is logged: a line that nobody wrote, or a terminal that obeys."""
    mark = f"mark{time.time_ns()}"
    evil = f'{mark}\r\n{{"event":"forged"}}\x1b[2J'
    for headers in ({"X-Correlation-ID": mark + '","level":"critical'}, {"User-Agent": mark}, {"X-Request-ID": mark}):
        target.ask("GET", f"/api/bookings/check-status/?acknowledgement_id={quote(evil)}", headers=headers)
        target.ask("GET", f"/{quote(evil)}", headers=headers)
    target.ask("POST", "/api/staff/login/", json={"username": evil, "password": evil, "otp": evil})
    target.ask("POST", f"/api/hooks/payments/{mark}/", data=evil.encode(), headers={"X-Sandbox-Signature": mark})
    time.sleep(1)
    for line in (target.logs / "production-web-limited.log").read_text(errors="replace").splitlines():
        if "\x1b" in line or line.startswith('{"event":"forged"'):
            yield f"it obeys: {line[:200]!r}"
        try:
            told = json.loads(line) if line.startswith("{") else {}
        except ValueError:
            yield f"no JSON: {line[:200]!r}"
            continue
        if told.get("level") == "critical" and mark in line:
            yield f"forged: {line[:200]!r}"


def costly_texts(target: Target) -> Iterator[str]:
    """Texts that are short to send and long to look at: backtracking, punycode, telephone numbers, dates, JSON."""
    texts = {
        "labels": "a@" + "a." * 50_000,
        "a label": "a@" + "ا" * 60_000 + ".org",
        "quotes": '"' + "\\" * 60_000 + '"@a.org',
        "digits": "+" + "1" * 100_000,
        "brackets": "(" * 100_000,
        "blanks": " " * 100_000 + "x",
        "combining": "e" + "\u0301" * 50_000,
        "ligatures": "\ufdfa" * 30_000,
        "turkish": "İ" * 40_000,
    }
    for kind, text in texts.items():
        for path, fields in (
            ("/api/bookings/check-status/", ("email",)),
            (
                "/api/bookings/draft/",
                ("email", "full_name", "phone_number", "city", "preferred_date", "notice_version"),
            ),
            ("/api/send-email/", ("text", "subject", "email")),
            ("/api/staff/login/", ("username", "password", "otp")),
        ):
            for field in fields:
                body = json.dumps({**form("a@example.org", "Asha"), field: text}, ensure_ascii=False).encode()
                yield from _slow(target, "POST", path, f"{kind} as {field}", body)
    for kind, body in {
        "keys": b"{" + b",".join(b'"%d":1' % n for n in range(12_000)) + b"}",
        "escapes": b'{"email":"' + b"\\u0041" * 20_000 + b'"}',
    }.items():
        yield from _slow(target, "POST", "/api/bookings/check-status/", kind, body)


def _slow(target: Target, method: str, path: str, what: str, body: bytes) -> Iterator[str]:
    took = 0.0
    for _ in range(2):  # once more: the machine may have been busy
        began = time.monotonic()
        answer = target.ask(method, path, data=body, headers={"Content-Type": "application/json"})
        took = time.monotonic() - began
        if answer.status_code >= 500:
            yield f"{path}, {what}: {answer.status_code}"
        if took <= SLOW:
            return
    yield f"{path}, {what}: {took:.1f} s"


def old_dates(target: Target) -> Iterator[str]:
    """Dates at the ends of time, in every query that takes one."""
    cookies = {"Cookie": str(target.owner.browser.headers["Cookie"])}
    far = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for day in (
        "0001-01-01",
        "9999-12-31",
        "9999-12-27",
        "1900-02-29",
        "+10000-01-01",
        "2026-W53-7",
        "20261124",
        "1969-12-31",
    ):
        for path in (
            *(f"/api/slots/?from={day}&to={far}&mode=ONLINE", f"/api/slots/?from={day}&to={day}&mode=ONLINE"),
            *(f"/admin/calendar/?day={day}", f"/admin/calendar/?week={day}", f"/admin/calendar/day/?day={day}"),
            *(
                f"/admin/calendar/events/?start={day}&end={day}",
                f"/admin/numbers/?from={day}&to={day}",
                f"/admin/?day={day}",
            ),
            f"/admin/bookings/booking/?slot_start__gte={day}&slot_start__lt={day}",
        ):
            began = time.monotonic()
            status = target.ask("GET", path, headers=cookies).status_code
            if status >= 500 or time.monotonic() - began > 2 * SLOW:
                yield f"{path}: {status}, {time.monotonic() - began:.1f} s"
