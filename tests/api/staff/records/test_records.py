"""Rows of the practice through the API: by the forms, permissions and history of the desk's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from backend.accounts.roles import OWNER, Role
from backend.api.staff.records.kinds import RECORDS
from backend.audit.models import AccessRecord, Kind
from backend.bookings.models import ClosedDay
from backend.payments.models import PaymentState
from backend.people.models import Client, Corporate, Language, Location, Psychologist
from tests.support import api, roles, scenarios, staff_api
from tests.support.staff_api import STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def staff(role: str = OWNER, **who: Any) -> Desk:
    user = roles.account(role, **who)
    return Desk(user, staff_api.token(user))


def test_each_kind_is_listed_and_read_by_its_number(now: datetime) -> None:
    roles.world(now)
    desk = staff()
    for record in RECORDS:
        listed = api.done(desk.get(f"{STAFF}{record.name}/", query={"limit": "1"}))
        (row,) = listed[record.name.replace("-", "_")]
        one = desk.get(f"{STAFF}{record.name}/{row['id']}/", query={"fields": "id"})
        assert api.done(one) == {"id": row["id"]}, record.name
        assert set(row) <= set(api.done(desk.get(f"{STAFF}{record.name}/{row['id']}/"))), record.name
        api.error(desk.get(f"{STAFF}{record.name}/2147483647/"), 404, "not_found")


def test_a_list_goes_on_behind_its_cursor_by_name_and_by_number() -> None:
    desk = staff()
    for name in ("Urdu", "Hindi", "Marathi"):
        Language.objects.create(name=name)
    read: list[str] = []
    after: dict[str, str] = {}
    for _ in range(4):
        page = api.done(desk.get(f"{STAFF}languages/", query={"limit": "1", **after}))
        read += [row["name"] for row in page["languages"]]
        if page["next"] is None:
            break
        after = {"after": str(page["next"])}
    assert read == ["Hindi", "Marathi", "Urdu"]
    api.error(desk.get(f"{STAFF}languages/", query={"after": "999"}), 400, "invalid")


def test_a_row_is_made_changed_as_it_was_read_and_deleted_with_its_history() -> None:
    desk = staff()
    made = desk.post(f"{STAFF}locations/", {"name": "Rooms", "address": "1 Road"})
    assert made.status_code == 201
    one = f"{STAFF}locations/{api.done(made, 201)['id']}/"
    changed = desk.send("PATCH", one, data={"address": "2 Road"}, if_match=made["ETag"])
    assert api.done(changed)["name"] == "Rooms"
    assert changed["ETag"] != made["ETag"]
    api.error(desk.send("PATCH", one, data={"name": "X"}, if_match=made["ETag"]), 412, "changed_since")
    api.error(desk.send("DELETE", one, if_match=made["ETag"]), 412, "changed_since")
    history = Location.history.order_by("history_id")
    assert [(row.address, row.history_user) for row in history] == [("1 Road", desk.user), ("2 Road", desk.user)]
    assert LogEntry.objects.count() == 2
    api.done(desk.send("DELETE", one, if_match=changed["ETag"]))
    assert not Location.objects.exists()


def test_the_forms_of_the_desk_judge(now: datetime) -> None:
    desk, known = staff(), scenarios.pending(now=now).client
    assert known is not None
    taken = desk.post(f"{STAFF}clients/", {"email": known.email})
    assert api.error(taken, 400, "invalid")["errors"] == {"email": ["Client with this Email already exists."]}
    costly = {"full_name": "Dr. A", "email": "a@example.org", "own_fee": "200000.00"}
    said = api.error(desk.post(f"{STAFF}psychologists/", costly), 400, "invalid")
    assert list(said["errors"]) == ["own_fee"]  # by the name under which it was sent
    for sent in ({"weekday": 1, "date": "2026-12-01"}, {}):
        assert "row" in api.error(desk.post(f"{STAFF}closed-days/", sent), 400, "invalid")["errors"]
    api.done(desk.post(f"{STAFF}closed-days/", {"date": "2026-12-24", "until": "2026-12-26"}), 201)
    assert ClosedDay.objects.count() == 3
    sent = {"name": "Acme", "code": "acme-1", "starts_on": "2026-01-01"}
    made = api.done(desk.post(f"{STAFF}corporates/", sent), 201)
    assert (made["code"], made["is_active"]) == ("ACME-1", True)
    paths = f"{STAFF}corporates/{made['id']}/"
    api.error(desk.send("PATCH", paths, data={"ends_on": "2025-01-01"}), 400, "invalid")
    assert api.done(desk.send("PATCH", paths, data={"is_active": False}))["starts_on"] == "2026-01-01"


def test_a_psychologists_row_keeps_what_is_not_sent() -> None:
    who, desk, hindi = scenarios.psychologist(), staff(), Language.objects.create(name="Hindi")
    one = f"{STAFF}psychologists/{who.pk}/"
    api.done(desk.send("PATCH", one, data={"language_ids": [hindi.pk], "own_fee": "1800.00"}))
    shown = api.done(desk.send("PATCH", one, data={"session_minutes": 45}))
    assert (shown["fee"], shown["language_ids"], shown["session_minutes"]) == ("1800.00", [hindi.pk], 45)
    assert shown["full_name"] == who.full_name
    assert api.done(desk.send("PATCH", one, data={"own_fee": None}))["own_fee"] is None
    api.error(desk.send("PATCH", one, data={"location_id": 99}), 400, "invalid")


def test_what_something_else_needs_is_not_deleted(now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now), staff()
    api.error(desk.send("DELETE", f"{STAFF}psychologists/{booking.psychologist_id}/"), 409, "row_in_use")
    assert Psychologist.objects.exists()


def test_the_permissions_of_the_desk_hold(now: datetime) -> None:
    mine, other = scenarios.psychologist("Dr. Mine"), scenarios.psychologist("Dr. Other", email="o@example.org")
    desk, acme = staff(Role.PSYCHOLOGIST, who=mine), Corporate.objects.create(name="Acme")
    api.done(desk.get(f"{STAFF}psychologists/{mine.pk}/"))
    api.error(desk.get(f"{STAFF}psychologists/{other.pk}/"), 404, "not_found")
    api.error(desk.send("PATCH", f"{STAFF}psychologists/{mine.pk}/", data={"own_fee": "9999.00"}), 400, "invalid")
    reception = staff(Role.RECEPTIONIST)
    assert [row["name"] for row in api.done(reception.get(f"{STAFF}corporates/"))["corporates"]] == ["Acme"]
    for answer in (
        reception.get(f"{STAFF}corporates/{acme.pk}/"),
        reception.get(f"{STAFF}clients/"),
        reception.post(f"{STAFF}locations/", {"name": "X", "address": "Y"}),
    ):
        api.error(answer, 404, "not_found")


def test_what_is_shown_of_people_is_recorded_and_no_more(now: datetime) -> None:
    scenarios.pending(now=now)
    desk, client = staff(), Client.objects.get()
    api.done(desk.get(f"{STAFF}clients/", query={"fields": "id,city"}))
    assert not AccessRecord.objects.filter(shown__contains="phone_number").exists()
    row = api.done(desk.get(f"{STAFF}clients/", query={"q": "98765 43210"}))["clients"][0]
    assert (row["phone_number"], "emergency_contact" in row) == ("9876543210", False)
    assert AccessRecord.objects.latest("pk").kind == Kind.SEARCHED
    assert api.done(desk.get(f"{STAFF}clients/{client.pk}/"))["emergency_contact"] == "Vikram Rao 9876500000"
    assert "client.emergency_contact" in AccessRecord.objects.latest("pk").shown


def test_lookups_narrow_a_list(now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now), staff()
    scenarios.confirmed("ravi@example.org", now=now, who=scenarios.psychologist("Dr. B", email="b@example.org"))
    for asked, found in (
        ({"booking__acknowledgement_id__in": str(booking)}, 1),
        ({"state__in": PaymentState.CAPTURED.value, "started_at__lt": now.isoformat()}, 0),
        ({}, 2),
    ):
        assert len(api.done(desk.get(f"{STAFF}payments/", query=asked))["payments"]) == found, asked
    api.error(desk.get(f"{STAFF}payments/", query={"state__in": "Paid"}), 400, "invalid")
