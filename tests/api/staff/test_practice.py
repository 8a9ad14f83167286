"""Hours, time off, absences, closed days, the telephone list and what hangs on a booking, through the API."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from backend.accounts.roles import OWNER, Role
from backend.bookings.machine import State
from backend.bookings.models import ClosedDay, DataRequest
from backend.payments import receipt_files
from backend.payments.models import Receipt
from backend.people.models import Client, Corporate, SponsorDomain, TimeOff, WorkingHours
from tests.support import api, factor, roles, scenarios, staff_api
from tests.support.staff_api import BOOKINGS, STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
SPAN = {"weekday": 0, "day": None, "starts_at": "09:00", "ends_at": "12:00", "offers": "ONLINE", "location_id": None}


def staff(role: str = OWNER, **who: object) -> Desk:
    user = roles.account(role, **who)  # type: ignore[arg-type]
    return Desk(user, staff_api.token(user))


def test_hours_are_replaced_as_a_whole_and_judged_together() -> None:
    who, desk = scenarios.psychologist(), staff()
    hours = f"{STAFF}psychologists/{who.pk}/hours/"
    second = {**SPAN, "weekday": 1, "ends_at": "00:00"}
    assert api.done(desk.send("PUT", hours, data={"hours": [SPAN, second]}))["hours"] == [SPAN, second]
    overlapping = [SPAN, {**SPAN, "starts_at": "11:00", "ends_at": "13:00"}]
    assert "hours" in api.error(desk.send("PUT", hours, data={"hours": overlapping}), 400, "invalid")["errors"]
    assert api.done(desk.get(hours))["hours"] == [SPAN, second]
    assert api.done(desk.send("PUT", hours, data={"hours": []}))["hours"] == []
    assert not WorkingHours.objects.exists()


def test_hours_are_replaced_only_as_they_were_read(now: datetime) -> None:
    who, desk = scenarios.psychologist(), staff()
    hours = f"{STAFF}psychologists/{who.pk}/hours/"
    read = desk.get(hours)
    done = desk.send("PUT", hours, data={"hours": [SPAN]}, if_match=read["ETag"])
    assert api.done(done)["hours"] == [SPAN]
    assert done["ETag"] == desk.get(hours)["ETag"] != read["ETag"]
    api.error(desk.send("PUT", hours, data={"hours": []}, if_match=read["ETag"]), 412, "changed_since")
    assert WorkingHours.objects.count() == 1
    api.done(desk.send("PUT", hours, data={"hours": []}, if_match="*"))


def test_hours_that_were_read_and_sent_back_stay_the_rows_that_they_are(now: datetime) -> None:
    who, desk = scenarios.psychologist(), staff()
    hours = f"{STAFF}psychologists/{who.pk}/hours/"
    api.done(desk.send("PUT", hours, data={"hours": [SPAN]}))
    once = {"weekday": None, "offers": "ONLINE", "starts_at": "09:00", "ends_at": "10:00", "psychologist": who}
    long_over = WorkingHours.objects.create(**once, day=(now - timedelta(days=8)).date())
    WorkingHours.objects.create(**once, day=(now + timedelta(days=1)).date())
    rows, read = set(WorkingHours.objects.values_list("pk", flat=True)), api.done(desk.get(hours))
    assert len(read["hours"]) == 2  # what is long over is left to the history, as on the page
    added = {**SPAN, "weekday": 3}
    assert len(api.done(desk.send("PUT", hours, data={"hours": [*read["hours"], added]}))["hours"]) == 3
    assert set(WorkingHours.objects.values_list("pk", flat=True)) > rows
    assert WorkingHours.history.filter(history_type="-").count() == 0
    api.done(desk.send("PUT", hours, data={"hours": []}))
    assert WorkingHours.objects.get() == long_over


def test_a_sponsors_domains_are_replaced_as_a_whole() -> None:
    acme, desk = Corporate.objects.create(name="Acme"), staff()
    domains = f"{STAFF}corporates/{acme.pk}/domains/"
    read = desk.get(domains)
    done = desk.send("PUT", domains, data={"domains": ["Acme.Example", "acme.in"]}, if_match=read["ETag"])
    assert api.done(done)["domains"] == ["acme.example", "acme.in"]
    kept = SponsorDomain.objects.get(domain="acme.in").pk
    wanted = {"domains": ["acme.in", "acme.org"]}
    assert api.done(desk.send("PUT", domains, data=wanted)) == wanted
    assert SponsorDomain.objects.get(domain="acme.in").pk == kept
    api.error(desk.send("PUT", domains, data={"domains": []}, if_match=done["ETag"]), 412, "changed_since")
    for wrong in (["acme"], ["a b.example"], [""], "acme.in", ["\ud800.example"]):
        said = api.error(desk.send("PUT", domains, data={"domains": wrong}), 400, "invalid")
        assert list(said["errors"]) == ["domains"], wrong
    SponsorDomain.objects.create(corporate=Corporate.objects.create(name="Mills"), domain="mills.example")
    taken = api.error(desk.send("PUT", domains, data={"domains": ["mills.example"]}), 400, "invalid")
    assert "already exists" in taken["errors"]["domains"][0]
    assert api.done(desk.get(domains)) == wanted


def test_an_auditor_sees_no_domains_as_on_the_page() -> None:
    acme, desk = Corporate.objects.create(name="Acme"), staff(Role.AUDITOR)
    api.done(desk.get(f"{STAFF}corporates/{acme.pk}/"))
    api.error(desk.get(f"{STAFF}corporates/{acme.pk}/domains/"), 404, "not_found")
    api.error(desk.send("PUT", f"{STAFF}corporates/{acme.pk}/domains/", data={"domains": []}), 404, "not_found")


def test_a_psychologist_keeps_their_own_hours_and_time_off_alone(now: datetime) -> None:
    mine, other = scenarios.psychologist("Dr. Mine"), scenarios.psychologist("Dr. Other", email="o@example.org")
    desk = staff(Role.PSYCHOLOGIST, who=mine)
    span = {"start": (now + timedelta(1)).isoformat(), "end": (now + timedelta(2)).isoformat()}
    for whose, status in ((mine, 200), (other, 404)):
        one = f"{STAFF}psychologists/{whose.pk}/"
        assert desk.send("PUT", f"{one}hours/", data={"hours": [SPAN]}).status_code == status
        assert desk.post(f"{one}time-off/", span).status_code == (201 if status == 200 else 404)
    (row,) = api.done(desk.get(f"{STAFF}psychologists/{mine.pk}/time-off/"))["time_off"]
    gone = f"{STAFF}psychologists/{mine.pk}/time-off/{row['id']}/"
    api.done(desk.send("DELETE", gone))
    api.error(desk.send("DELETE", gone), 404, "not_found")
    assert not TimeOff.objects.exists()


def test_an_absence_moves_cancels_and_asks_each_by_itself(now: datetime) -> None:
    who, desk = scenarios.psychologist(), staff()
    slots = [scenarios.slot_tomorrow(now, hour) for hour in (8, 10)]
    rows = [scenarios.confirmed(f"{slot.hour}@example.org", who=who, now=now, at=slot) for slot in slots]
    start, end = (rows[0].slot_start, rows[1].slot_end)
    assert start is not None
    assert end is not None
    away = f"{STAFF}psychologists/{who.pk}/absence/"
    span = {"start": start.isoformat(), "end": end.isoformat()}
    api.error(desk.post(f"{STAFF}psychologists/{who.pk}/time-off/", span), 409, "time_booked")
    told = api.done(desk.get(away, query=span))["in_the_way"]
    assert [one["booking"]["acknowledgement_id"] for one in told] == [str(row) for row in rows]
    fates = [
        {"acknowledgement_id": str(rows[0]), "sequence": told[0]["sequence"], "fate": "cancel"},
        {"acknowledgement_id": str(rows[1]), "sequence": 1, "fate": "choose"},
    ]
    body = {**span, "decisions": fates}
    assert [one["status"] for one in api.done(desk.post(away, {**body, "preview": True}))["items"]] == [200, 409]
    assert scenarios.again(rows[0]).state == State.CONFIRMED
    assert [one["status"] for one in api.done(desk.post(away, body))["items"]] == [200, 409]
    assert [scenarios.again(row).state for row in rows] == [State.CANCELLED, State.CONFIRMED]
    assert TimeOff.objects.count() == 1


def test_sessions_on_a_closed_day_are_decided_about(now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now), staff()
    assert booking.slot_start is not None
    ClosedDay.objects.create(date=timezone.localtime(booking.slot_start).date())
    (one,) = api.done(desk.get(f"{STAFF}closed-days/sessions/"))["in_the_way"]
    fate = {"acknowledgement_id": str(booking), "sequence": one["sequence"], "fate": "cancel"}
    told = api.done(desk.post(f"{STAFF}closed-days/sessions/", {"decisions": [fate]}))["items"]
    assert [one["booking"]["status"] for one in told] == [State.CANCELLED]


def test_who_is_told_by_telephone_leaves_the_list(now: datetime) -> None:
    desk = staff(Role.RECEPTIONIST)
    made = api.done(desk.post(BOOKINGS, api.form(now, email="")), 201)["acknowledgement_id"]
    told = api.done(desk.get(f"{STAFF}to-tell/"))["to_tell"]
    assert {one["acknowledgement_id"] for one in told} == {made}
    path = f"{BOOKINGS}{made}/told/"
    last = {"up_to": told[-1]["message_id"]}
    assert [api.done(desk.post(path, last))["is_done"] for _ in range(2)] == [True, False]
    assert api.done(desk.get(f"{STAFF}to-tell/"))["to_tell"] == []
    api.error(desk.post(f"{BOOKINGS}{made}/mail-again/"), 409, "no_address")


def test_an_erasure_needs_the_code_that_the_app_shows(now: datetime) -> None:
    scenarios.pending(now=now)
    desk, client = staff(), Client.objects.get()
    path = f"{STAFF}clients/{client.pk}/erasure/"
    factor.code_of(desk.user)
    assert "otp" in api.error(desk.post(path, {"otp": "000000"}), 400, "invalid")["errors"]
    assert not DataRequest.objects.exists()
    api.done(desk.send("DELETE", path))


def test_who_read_of_a_booking_and_of_its_client_is_told_to_an_owner(now: datetime) -> None:
    booking, desk = scenarios.pending(now=now), staff()
    api.done(staff(Role.MANAGER).get(f"{booking}/"))
    client = Client.objects.get()
    for path in (f"{BOOKINGS}{booking}/readers/", f"{STAFF}clients/{client.pk}/readers/"):
        assert api.done(desk.get(path))["readings"][0]["who"]
    api.error(staff(Role.RECEPTIONIST).get(f"{BOOKINGS}{booking}/readers/"), 404, "not_found")


def test_a_room_opens_to_who_gives_the_session_alone(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, who=scenarios.psychologist("Dr. Mine"))
    assert booking.psychologist is not None
    mine = staff(Role.PSYCHOLOGIST, who=booking.psychologist)
    told = api.done(mine.act(booking, "room"))
    assert (told["stage"], told["address"]) == ("early", None)
    api.error(staff(Role.RECEPTIONIST).act(booking, "room"), 404, "not_found")


def test_a_document_is_given_as_it_was_issued(now: datetime) -> None:
    booking, desk = scenarios.confirmed(now=now), staff()
    number = api.done(desk.get(f"{booking}/"))["payments"][0]["receipts"][0]["number"]
    path = f"{BOOKINGS}{booking}/receipts/{number.replace('/', '-')}/"
    api.error(desk.get(path), 404, "not_found")
    receipt_files.keep(Receipt.objects.get(), b"%PDF", now=now)
    assert b64decode(api.done(desk.get(path))["pdf"]) == b"%PDF"
