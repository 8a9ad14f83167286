"""The log is append-only in the database itself, goes after a year, and tells who read of a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import Error, connection, transaction
from knox.models import AuthToken

from backend.accounts.models import TokenGrant
from backend.accounts.roles import Role
from backend.audit import checks
from backend.audit.guard import GUARD, LEAST
from backend.audit.models import AccessRecord, Kind
from backend.audit.readings import LOOKED_FOR, Reading, of_booking, of_client, readings
from backend.bookings import retention
from backend.bookings.models import Booking
from backend.bookings.retention import RULES
from tests.support import scenarios, staff_api
from tests.support.admin_site import action_url, clerk, list_url, logged_in, owner, page_url
from tests.support.roles import account
from workers import timers

pytestmark = pytest.mark.django_db
CHANGES = {
    "an update": lambda rows: rows.update(actor="somebody else"),
    "a deletion": lambda rows: rows.delete(),
}


def record(
    at: datetime, shown: str = "", *, actor: str = "staff:asha", subject: str = "", pk: int | None = None
) -> None:
    AccessRecord.objects.create(at=at, actor=actor, kind=Kind.OPENED, shown=shown, subject=subject, subject_id=pk)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_database_refuses_to_change_a_record(change) -> None:
    record(datetime.now(UTC) - LEAST + timedelta(hours=1))
    rows = list(AccessRecord.objects.values())
    with pytest.raises(Error, match="the access log is append-only"), transaction.atomic():
        change(AccessRecord.objects.all())
    assert list(AccessRecord.objects.values()) == rows


def test_a_record_older_than_a_year_may_go_and_never_be_changed() -> None:
    record(datetime.now(UTC) - LEAST - timedelta(hours=1))
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        AccessRecord.objects.update(actor="somebody else")
    assert AccessRecord.objects.all().delete()[0] == 1


@pytest.mark.postgres_only
def test_the_database_refuses_to_empty_the_log() -> None:
    record(datetime.now(UTC))
    with connection.cursor() as cursor, pytest.raises(Error, match="append-only"), transaction.atomic():
        cursor.execute("TRUNCATE audit_accessrecord")


@pytest.mark.parametrize("which", [0, 1])
def test_a_log_without_its_guard_is_found_by_the_check(which: int) -> None:
    assert checks.access_log_is_guarded(databases=["default"]) == []
    on = f" ON {GUARD.table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {GUARD.triggers(connection.vendor)[which]}{on}")
    assert [found.id for found in checks.access_log_is_guarded(databases=["default"])] == ["audit.E001"]


def test_records_expire_after_a_year_and_a_day() -> None:
    today = datetime.now(UTC)  # the database's guard asks its own clock
    kept = RULES[retention.Kind.ACCESS].kept
    for ago in (kept - timedelta(hours=1), kept + timedelta(hours=1)):
        record(today - ago)
    with time_machine.travel(today, tick=False):
        timers.expire_access_log()
    assert [row.at for row in AccessRecord.objects.all()] == [today - kept + timedelta(hours=1)]


# -- who read of a person ----------------------------------------------------------------------------------------------


@pytest.fixture
def booking(now: datetime, clock: time_machine.Traveller) -> Booking:
    return scenarios.pending(now=now)


def test_pages_of_one_and_of_many_are_told_and_other_tables_ids_are_not(booking: Booking, now: datetime) -> None:
    pk, year = booking.pk, timedelta(days=365)
    record(now, f"booking.user_message {pk} ;", subject="booking", pk=pk)
    record(now, f"booking.phone_number {pk} {pk + 7} ;client.phone_number {pk} ;", actor="staff:ravi")
    record(now, f"enquiry.text {pk} {pk + 1} ;")
    record(now, f"booking.user_message {pk}0 ;")
    record(now - year - timedelta(days=1), f"booking.user_message {pk} ;", subject="booking", pk=pk)
    found = of_booking(booking, since=now - year)
    assert found == _looked_through(booking, now - year)
    assert [(one.who, one.what) for one in found] == [("ravi", ("phone_number",)), ("asha", ("user_message",))]
    assert booking.client is not None
    record(now, f"client.emergency_contact {booking.client_id} ;", subject="client", pk=booking.client_id)
    newest, *others = of_client(booking.client, since=now - year)
    assert (newest.what, len(others)) == (("emergency_contact",), 2)


def _looked_through(booking: Booking, since: datetime) -> list[Reading]:
    """As for somebody with more bookings than are looked for one by one."""
    return readings({"booking": [booking.pk, *range(10**6, 10**6 + LOOKED_FOR)]}, since=since)


@pytest.mark.sqlite_only
def test_an_owner_sees_who_read_a_message_from_the_booking_and_from_the_client(booking: Booking) -> None:
    logged_in(account(Role.PSYCHOLOGIST, "meera", who=booking.psychologist or scenarios.psychologist("Dr. M.")))
    desk, reader = owner(), owner("asha")
    reader.get(page_url(booking))
    assert action_url(booking, "readers") in desk.get(page_url(booking)).content.decode()
    for page in (action_url(booking, "readers"), page_url(booking.client).replace("change", "readers")):
        text = desk.get(page).content.decode()
        assert "<td>asha</td>" in text
        assert "message" in text
    assert desk.get(list_url(AccessRecord)).status_code == 200


@pytest.mark.sqlite_only
def test_of_a_program_it_is_told_which_token_of_whom_read(booking: Booking, now: datetime) -> None:
    program = staff_api.desk(username="meera")
    assert program.get(f"{booking.acknowledgement_id}/").status_code == 200
    grant = TokenGrant.objects.get()
    AuthToken.objects.all().delete()  # what was recorded outlives the token
    (reading,) = of_booking(booking, since=now)
    assert reading.who == f"token {grant.pk} “tests” of meera"
    desk = owner()
    desk.get(page_url(booking))
    assert reading.who in desk.get(action_url(booking, "readers")).content.decode()
    assert set(AccessRecord.objects.exclude(actor="staff:meera").values_list("token_id", "token_name")) == {(None, "")}
    assert reading.who in desk.get(list_url(AccessRecord)).content.decode()


@pytest.mark.sqlite_only
def test_who_may_not_see_the_log_meets_no_page_of_it(booking: Booking) -> None:
    receptionist = logged_in(account(Role.RECEPTIONIST))
    urls = (action_url(booking, "readers"), list_url(AccessRecord))
    assert [receptionist.get(url).status_code for url in urls] == [404, 404]
    assert "Who read this" not in receptionist.get(page_url(booking)).content.decode()
    auditor = logged_in(account(Role.AUDITOR))
    assert [auditor.get(url).status_code for url in urls] == [404, 200]  # who sees no visitor sees ids alone
    both = clerk("both", "view_accessrecord", "view_client")
    assert both.get(page_url(booking.client).replace("change", "readers")).status_code == 200
