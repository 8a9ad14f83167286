"""The page on which who works on the backend reads what was mailed."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import get_connection
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings

from backend.api.dev import mailbox
from backend.bookings.notices import Notice
from tests.support.mails import mail_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

LIST, FILE_BACKEND = "/dev/mail/", "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DEBUG = True
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILE_BACKEND, str(tmp_path)
    return tmp_path


def mailed(*mails: Any) -> None:
    """By a process of its own."""
    get_connection().send_messages(mails)


def html(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_confirmation_is_listed_and_shown_with_its_links_its_text_its_entry_and_its_headers(
    folder: Path, now: datetime
) -> None:
    sent = mail_of(Notice.BOOKING_CONFIRMED, now=now)
    mailed(sent)
    listed = html(LIST)
    address = re.findall(r'<a href="(/dev/mail/[^"]+)">', listed)[0]
    assert sent.subject in listed
    assert "asha@example.org" in listed
    page = html(address)
    link = re.findall(r"https?://\S+/go/calendar/\S*|https?://\S+token=\S+", sent.body)[0].replace("&", "&amp;")
    assert f'<a href="{link}"' in page
    assert "BEGIN:VCALENDAR" in page
    assert "method=&quot;REQUEST&quot;" in page
    assert "<dt>Message-ID</dt>" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert f'src="{address}html/"' in page


def test_its_html_runs_and_loads_nothing_and_only_our_page_frames_it(folder: Path, now: datetime) -> None:
    mailed(mail_of(Notice.BOOKING_CONFIRMED, now=now))
    found = mailbox.newest()[0]
    framed = Client().get(f"{LIST}{found.file}/0/html/")
    rules = framed["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'self'", "form-action 'none'"} <= {*rules}
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in rules
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank">' in framed.content.decode()
    around = Client().get(f"{LIST}{found.file}/0/")
    assert "frame-src 'self'" in around["Content-Security-Policy"]
    assert "script-src" not in around["Content-Security-Policy"]
    assert around["X-Frame-Options"] == "DENY"


def test_what_it_carries_can_be_saved(folder: Path, now: datetime) -> None:
    mailed(mail_of(Notice.BOOKING_CONFIRMED, now=now))
    page = html(f"{LIST}{mailbox.newest()[0].file}/0/")
    saved = [Client().get(path) for path in re.findall(r'<a href="([^"]+)">Save it</a>', page)]
    assert [Calendar.from_ical(one.content)["METHOD"] for one in saved] == ["REQUEST", "REQUEST"]
    assert all(one["Content-Disposition"].startswith("attachment;") for one in saved)


def test_the_newest_comes_first_of_all_processes_and_one_being_written_waits(folder: Path, now: datetime) -> None:
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now)
    for name, second in (("one.log", 1), ("two.log", 2)):
        mail.extra_headers["Date"] = f"Mon, 23 Nov 2026 10:00:0{second} +0530"
        content = mail.message().as_bytes() + b"\n" + b"-" * 79 + b"\n"
        (folder / name).write_bytes(content + content[: len(content) // 2])
    assert [(one.file, one.number) for one in mailbox.newest()] == [("two.log", 0), ("one.log", 0)]


def test_a_name_is_no_way_out_of_the_folder(folder: Path) -> None:
    (folder / "ours.log").write_bytes(b"Subject: ours\n\nx\n" + b"-" * 79 + b"\n")
    assert "ours" in html(f"{LIST}ours.log/0/")
    (folder.parent / "other.log").write_bytes(b"Subject: theirs\n\nx\n" + b"-" * 79 + b"\n")
    for name in ("..%2Fother.log", "../other.log", "other.log", "%2e%2e%2fother.log"):
        assert Client().get(f"{LIST}{name}/0/").status_code == 404


def test_a_stack_whose_mails_leave_says_so(folder: Path, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "workers.smtp.EmailBackend"
    assert "none is kept here" in html(LIST)


def test_with_debug_off_there_is_no_such_page(folder: Path, settings: Settings, now: datetime) -> None:
    mailed(mail_of(Notice.BOOKING_CONFIRMED, now=now))
    file = mailbox.newest()[0].file
    settings.DEBUG = False
    for path in (LIST, f"{LIST}{file}/0/", f"{LIST}{file}/0/html/", f"{LIST}{file}/0/3/"):
        assert Client().get(path).status_code == 404
