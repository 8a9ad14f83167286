"""After a breach: whose data was shown, by id; who must hear of it until when; and what is ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from backend.accounts import enrolment, tokens
from backend.accounts.models import Session
from backend.accounts.scopes import Wide
from backend.audit import breaches
from backend.audit.models import AccessRecord, Kind
from backend.audit.shown import to_text
from backend.bookings.models import Booking
from backend.ops.breach_duties import DUTIES, clock
from tests.support import scenarios

pytestmark = pytest.mark.sqlite_only
HOUR = timedelta(hours=1)
LEARNT = datetime(2027, 6, 1, 9, tzinfo=UTC)


def test_each_duty_says_its_end_and_what_is_left() -> None:
    cert_in, persons, _, board = (clock(duty, learnt_at=LEARNT, now=LEARNT + 7 * HOUR) for duty in DUTIES)
    assert cert_in.endswith("until 2027-06-01 15:00 UTC, over for 1 h")
    assert persons == "each person affected: without delay"
    assert board.endswith("until 2027-06-04 09:00 UTC, 2 d 17 h left")
    assert "binds from 13 May 2027" in clock(DUTIES[3], learnt_at=datetime(2027, 5, 12, tzinfo=UTC), now=LEARNT)


@pytest.fixture
def booking(now: datetime, clock: object) -> Booking:
    return scenarios.pending(now=now)


@pytest.fixture
def thief(booking: Booking, now: datetime) -> User:
    """An account that opened the booking at the desk and, by a token, a client; and what is none of this."""
    rows = [
        (0, "asha", Kind.OPENED, "admin:bookings_booking_change", {"booking.user_message": [booking.pk]}),
        (1, "asha", Kind.EXPORTED, "api/staff/bookings/", {"client.row": [70_001]}),
        (1, "asha", Kind.LOGGED_IN, "admin:login", {"user.login": [70_002]}),
        (1, "ravi", Kind.OPENED, "admin:people_enquiry_change", {"enquiry.text": [70_003]}),
        (-1, "asha", Kind.OPENED, "admin:people_enquiry_change", {"enquiry.text": [70_004]}),
        (2, "asha", Kind.OPENED, "admin:people_enquiry_change", {"enquiry.text": [70_005]}),
    ]
    for hours, who, kind, page, shown in rows:
        AccessRecord.objects.create(
            at=now + hours * HOUR, actor=f"staff:{who}", kind=kind, page=page, shown=to_text(shown)
        )
    account = User.objects.create(username="asha")
    Session.objects.create(session_key="x", account=account, expire_date=now + HOUR, began_at=now, agent="Firefox/")
    enrolment.make_link(account, by="staff:ravi", now=now)
    return account


def said(now: datetime, *given: str) -> str:
    out = StringIO()
    call_command("breach", "--since", now.isoformat(), "--until", (now + HOUR).isoformat(), *given, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_whose_data_an_account_opened_is_listed_by_id_alone(booking: Booking, thief: User, now: datetime) -> None:
    text = said(now, "--account", "asha")
    assert f"  booking.user_message: {booking}\n  client.row: 70001\n" in text
    assert f"persons to tell, by the number of their client: 2: {booking.client_id} 70001\n" in text
    assert "session, Firefox, since" in text
    assert "one-time link for a second factor" in text
    assert not [word for word in ("70002", "70003", "70004", "70005", "asha@", "Asha Rao") if word in text]
    everybody = breaches.disclosed(actor=None, since=now, until=now + HOUR)
    assert (everybody.pages, everybody.of("enquiry")) == (3, {70_003})


@pytest.mark.django_db
def test_a_token_is_asked_after_alone_and_ended_alone(booking: Booking, thief: User, now: datetime) -> None:
    lost, other, gone = (
        tokens.make(thief, name=name, scope=Wide.READ, lifetime=HOUR)[0] for name in ("lost", "other", "gone")
    )
    for grant, client in ((lost, 70_006), (other, 70_007), (gone, 70_008)):
        AccessRecord.objects.create(
            at=now, actor="staff:asha", token_id=grant.pk, kind=Kind.OPENED, shown=to_text({"client.row": [client]})
        )
    gone.token.delete()
    text = said(now, "--token", str(lost.pk), "--end")
    assert "booking." not in text
    assert "client.row: 70006\n" in text
    assert text.endswith("ended: 1 tokens\n")
    assert list(tokens.of(thief, now=now)) == [other]
    assert "client.row: 70008\n" in said(now, "--token", str(gone.pk))
    with pytest.raises(CommandError, match="that has not ended"):
        said(now, "--token", str(gone.pk), "--end")
    assert said(now, "--account", "asha", "--end").endswith("ended: 1 sessions, 1 tokens, 1 links\n")
    ended = AccessRecord.objects.filter(kind=Kind.RIGHTS_CHANGED, actor="command:breach")
    about = f"{thief.pk} ;"
    assert {row.shown for row in ended} == {f"user.token {about}", f"user.access_ended {about}"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [("--account", "nobody"), ("--token", "7"), ("--end",), ("--learnt", "2026-11-27T18:00")]
)
def test_what_cannot_be_meant_is_refused(wrong: tuple[str, ...], now: datetime) -> None:
    with pytest.raises(CommandError):
        said(now, *wrong)
