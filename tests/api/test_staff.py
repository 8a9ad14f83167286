"""The staff API: who may use it, what it finds and shows, and every intent through it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from backend.accounts.models import Scope, TokenGrant
from backend.api.staff import auth
from backend.bookings import policy
from backend.bookings.lifecycle import desk_money, refunds
from backend.bookings.machine import FINAL, State
from backend.bookings.models import Booking, LedgerEntry, Origin, SlotClaim
from backend.bookings.notices import Notice
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentState, Refund, RefundState
from backend.people.models import Corporate, Location
from tests.support import api, factor, factories, roles, scenarios, staff_api
from tests.support.database_rows import everything
from tests.support.scenarios import ASHA, RAVI
from tests.support.staff_api import BOOKINGS, CHANGE, PASSWORD, STAFF, VIEW, Desk, account, desk

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

LOGIN, LOGOUT, LOGOUT_ALL = f"{STAFF}login/", f"{STAFF}logout/", f"{STAFF}logoutall/"
LISTS = {f"{STAFF}{name}/": name for name in ("psychologists", "locations", "corporates")}
DAY = timedelta(days=1)
SUMMARY = {
    *("acknowledgement_id", "status", "reason", "origin", "is_priority", "created_at", "due_at", "pay_by", "closed_at"),
    *(
        "cancellation_requested_at",
        "choose_by",
        "full_name",
        "email",
        "phone_number",
        "is_minor",
        "preferred_date",
        "corporate",
    ),
    *("preferred_period", "preferred_time_start", "preferred_time_end", "mode", "payment_mode", "psychologist"),
    *("slot_start", "slot_end", "amount", "outcome", "follows", "preferred_psychologist", "preferred_slot_start"),
}


def code_of(username: str) -> str:
    """Of an unknown name any."""
    user = User.objects.filter(username=username).first()
    return factor.code_of(user) if user else "123456"


def login(username: str = "desk", password: str = PASSWORD, client: str = "198.51.100.1", **more: str) -> Any:
    body = {"username": username, "password": password, "otp": code_of(username), **more}
    return api.request("POST", LOGIN, data=body, environ={"REMOTE_ADDR": client})


def at(moment: datetime) -> str:
    return moment.isoformat()


def approval(now: datetime, **changes: Any) -> dict[str, Any]:
    """What staff send to approve."""
    who = changes.pop("who", None) or scenarios.psychologist()
    return {"psychologist_id": who.pk, "slot_start": at(scenarios.slot_tomorrow(now)), **changes}


# -- logging in and out -----------------------------------------------------------------------------------------------


def test_a_log_in_gives_a_token_that_opens_the_api_and_is_stored_as_a_digest_alone(now: datetime) -> None:
    user = account("desk", VIEW, password=PASSWORD)
    body = api.done(login())
    assert set(body) == {"token", "expires_at", "scope"}
    assert body["expires_at"] == "2026-11-23T16:30:00Z"
    api.done(Desk(user, body["token"]).get())
    row = AuthToken.objects.get()
    assert body["token"] not in (row.digest, row.token_key)
    assert len(body["token"]) == 64
    assert User.objects.get().last_login == now


def to_another_password(user: User) -> None:
    user.set_password("another " + PASSWORD)
    user.save()


def by_the_admins_form(user: User) -> None:
    form = AdminPasswordChangeForm(user, {"password1": "another " + PASSWORD, "password2": "another " + PASSWORD})
    assert form.is_valid(), form.errors
    form.save()


def disabled_in_the_admins_form(user: User) -> None:
    form = AdminPasswordChangeForm(user, {"usable_password": "false"})
    assert form.is_valid(), form.errors
    form.save()


@pytest.mark.parametrize("change", [to_another_password, by_the_admins_form, disabled_in_the_admins_form])
def test_a_changed_password_ends_every_token_of_the_account(change: Callable[[User], None]) -> None:
    user, other = account("desk", VIEW, password=PASSWORD), account("other", VIEW, password=PASSWORD)
    token, kept = api.done(login())["token"], api.done(login("other"))["token"]
    change(user)
    assert Desk(user, token).get().status_code == 401
    api.done(Desk(other, kept).get())


def test_who_logs_in_while_the_password_changes_gets_no_token(monkeypatch) -> None:
    user = account("desk", VIEW, password=PASSWORD)

    def checked(request: object, **given: str) -> User | None:
        found = authenticate(request, **given)
        to_another_password(User.objects.get(pk=user.pk))  # the moment after the old one was found right
        return found

    monkeypatch.setattr(auth, "authenticate", checked)
    api.error(login(), 401, "login_failed")
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize(
    ("username", "password"),
    [("desk", "wrong"), ("desk", PASSWORD.strip()), ("nobody", PASSWORD), ("visitor", PASSWORD), ("gone", PASSWORD)],
)
def test_who_is_not_active_staff_with_this_password_gets_401_and_no_token(username: str, password: str) -> None:
    account("desk", VIEW, password=PASSWORD)
    account("visitor", VIEW, is_staff=False, password=PASSWORD)
    account("gone", VIEW, is_active=False, password=PASSWORD)
    response = login(username, password)
    api.error(response, 401, "login_failed")
    assert response["WWW-Authenticate"] == "Token"
    assert not AuthToken.objects.exists()


def test_the_password_alone_or_with_a_used_code_gives_no_token() -> None:
    account("desk", VIEW, password=PASSWORD)
    code = code_of("desk")
    assert api.done(login(otp=code, name="export", scope="act"))["scope"] == "act"
    for wrong in (code, "000000"):
        api.error(login(otp=wrong), 401, "login_failed")
    assert "otp" in api.error(api.post(LOGIN, {"username": "desk", "password": PASSWORD}), 400, "invalid")["errors"]
    assert [(grant.name, grant.scope) for grant in TokenGrant.objects.all()] == [("export", "act")]
    assert AuthToken.objects.count() == 1


def endpoints() -> list[tuple[str, str]]:
    """Every method and address of the staff API that takes a token."""
    found = [
        (method, "/" + re.sub(r"<[^>]+>", "MS-AAAAAA", route))
        for route, pattern in roles.patterns()
        if route.startswith("api/staff/") and pattern.callback.view_class is not auth.Login
        for method in ("GET", "POST")
        if hasattr(pattern.callback.view_class, method.lower())
    ]
    assert len(found) > 20
    return found


@pytest.mark.sqlite_only
def test_a_scope_opens_its_endpoints_and_no_others() -> None:
    user = account("owner", is_superuser=True)
    reads, acts = (Desk(user, staff_api.token(user, scope)) for scope in Scope)
    bare = Desk(user, AuthToken.objects.create(user)[1])
    for method, url in endpoints():
        assert bare.send(method, url).status_code == 401, url
        assert api.request(method, url).status_code == 401, url
        if url not in (LOGOUT, LOGOUT_ALL):
            assert (reads.send(method, url).status_code == 403) is (method == "POST"), url
            assert acts.send(method, url).status_code not in (401, 403), url
    assert reads.post(LOGOUT_ALL).status_code == 403
    api.done(reads.post(LOGOUT))
    api.done(acts.post(LOGOUT_ALL))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "desk"},
        {"password": PASSWORD},
        {"username": "", "password": ""},
        {"username": ["desk"], "password": {"$ne": ""}},
        {"username": "de\x00sk", "password": "x"},
        {"username": "desk", "password": "\ud800"},
        {"username": "x" * 151, "password": "x" * 201},
    ],
)
def test_a_log_in_without_name_and_password_is_400(body: dict[str, Any]) -> None:
    assert api.error(api.post(LOGIN, body), 400, "invalid")["errors"]


def test_a_revoked_token_is_refused_and_another_one_of_the_same_account_goes_on(staff: Desk) -> None:
    other = Desk(staff.user, staff_api.token(staff.user))
    assert api.done(staff.post(LOGOUT)) == {"message": "You are logged out."}
    api.error(staff.get(), 401, "not_authenticated")
    api.error(staff.post(LOGOUT), 401, "not_authenticated")
    api.done(other.get())


def test_logging_out_everywhere_ends_every_token_of_this_account_alone(staff: Desk) -> None:
    other = Desk(staff.user, staff_api.token(staff.user))
    neighbour = desk(username="neighbour")
    api.done(other.post(LOGOUT_ALL))
    for client in (staff, other):
        api.error(client.get(), 401, "not_authenticated")
    api.done(neighbour.get())


def test_a_token_expires_after_a_working_day(staff: Desk, now: datetime, clock: time_machine.Traveller) -> None:
    clock.move_to(now + timedelta(hours=12, seconds=-1))
    api.done(staff.get())
    clock.move_to(now + timedelta(hours=12))
    api.error(staff.get(), 401, "not_authenticated")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        "Token x",
        "Token a b",
        "Basic ZGVzazp4",
        "Bearer x",
        "Token \xff\xfe",
        "Token " + "x" * 4000,
    ],
)
def test_without_a_token_that_is_ours_everything_is_401(header: str, now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    one = f"{BOOKINGS}{booking.acknowledgement_id}/"
    for address in (BOOKINGS, one, *LISTS):
        response = api.get(address, authorization=header)
        api.error(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == "Token"
    for address in (BOOKINGS, f"{one}approve/", f"{one}cancel/", LOGOUT, LOGOUT_ALL):
        api.error(api.post(address, {}, authorization=header), 401, "not_authenticated")


def test_the_tokens_first_letters_alone_open_nothing(staff: Desk) -> None:
    forged = staff.token[:-1] + ("0" if staff.token[-1] != "0" else "1")
    api.error(Desk(staff.user, forged).get(), 401, "not_authenticated")


# -- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_who_left_the_staff_is_refused_at_once(staff: Desk, change: dict[str, bool]) -> None:
    User.objects.update(**change)
    if "is_active" in change:
        api.error(staff.get(), 401, "not_authenticated")
    else:
        api.error(staff.get(), 403, "forbidden")
        api.error(staff.post(LOGOUT), 403, "forbidden")


def test_reading_needs_one_permission_and_acting_the_other(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    reads = ("", f"{booking.acknowledgement_id}/", *LISTS)
    acts = ("", *(f"{booking.acknowledgement_id}/{action}/" for action in ACTIONS))
    reader, nobody, changer = desk(VIEW), desk("add_booking", username="nobody"), desk(CHANGE, username="changer")
    for path in reads:
        api.done(reader.get(path))
        api.done(changer.get(path))
        api.error(nobody.get(path), 404, "not_found")
    for path in acts:
        api.error(reader.post(path, {}), 404, "not_found")
        api.error(nobody.post(path, {}), 404, "not_found")
    assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence


def test_a_wrong_method_is_405(staff: Desk, now: datetime) -> None:
    one = factories.make_booking(State.PENDING, now=now).acknowledgement_id
    for method, path in (("PUT", ""), ("DELETE", f"{one}/"), ("GET", f"{one}/approve/"), ("GET", LOGIN)):
        api.error(staff.send(method, path), 405, "method_not_allowed")


# -- the list ---------------------------------------------------------------------------------------------------------


def ids(response: Any) -> list[str]:
    return [row["acknowledgement_id"] for row in api.done(response)["bookings"]]


@pytest.fixture
def various(now: datetime) -> dict[State, Booking]:
    """One booking in each state, of a person of its own."""
    return {
        state: factories.make_booking(
            state,
            now=now,
            email=f"{state.lower()}@example.org",
            full_name=f"{state.label} Person",
            phone_number=f"98765{number:05}",
            preferred_date=now.date() + timedelta(days=number),
        )
        for number, state in enumerate(State)
    }


def test_the_list_shows_every_booking_newest_first_without_the_visitors_words(
    staff: Desk, various: dict[State, Booking]
) -> None:
    response = staff.get()
    assert ids(response) == [booking.acknowledgement_id for booking in reversed(various.values())]
    body = api.done(response)
    assert body["next"] is None
    assert all(set(row) == SUMMARY for row in body["bookings"])
    assert "not slept well" not in response.content.decode()
    paid = next(row for row in body["bookings"] if row["status"] == State.CONFIRMED)
    assert (paid["amount"], paid["slot_start"]) == ("1500.00", "2026-11-24T12:00:00Z")
    assert paid["psychologist"] == {"id": various[State.CONFIRMED].psychologist_id, "name": "Dr. Meera Iyer"}


@pytest.mark.parametrize("state", State)
def test_the_list_is_narrowed_by_state(staff: Desk, various: dict[State, Booking], state: State) -> None:
    assert ids(staff.get(query={"state": state})) == [various[state].acknowledgement_id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"preferred_from": "2026-11-30"}, {State.CANCELLED, State.PAYMENT_FAILED}),
        ({"preferred_from": "2026-11-24", "preferred_until": "2026-11-25"}, {State.PENDING, State.APPROVED}),
        ({"due_before": "2026-11-23T17:00:00Z"}, {State.PAYMENT_PENDING, State.APPROVED}),
        ({"due_before": "2026-11-23T22:30:00+05:30"}, {State.PAYMENT_PENDING, State.APPROVED}),
        ({"q": "pending p"}, {State.PENDING, State.PAYMENT_PENDING}),
        ({"q": "REJECTED@example"}, {State.REJECTED}),
        ({"q": "00004"}, {State.CONFIRMED}),
        ({"q": "%"}, set()),
        ({"q": "nobody"}, set()),
        ({"mode": "OFFLINE"}, set()),
        ({"mode": "ONLINE", "state": "DRAFT"}, {State.DRAFT}),
        ({"state": "", "q": "", "limit": "", "after": ""}, set(State)),
    ],
)
def test_the_list_is_narrowed(
    staff: Desk, various: dict[State, Booking], query: dict[str, str], found: set[State]
) -> None:
    assert set(ids(staff.get(query=query))) == {various[state].acknowledgement_id for state in found}


def test_the_list_finds_ids_as_people_type_them_and_sessions_of_a_psychologist(
    staff: Desk, various: dict[State, Booking]
) -> None:
    booking = various[State.APPROVED]
    for typed in (booking.acknowledgement_id, booking.acknowledgement_id.lower(), booking.acknowledgement_id[3:]):
        assert ids(staff.get(query={"q": typed})) == [booking.acknowledgement_id]
    query = {"psychologist_id": str(booking.psychologist_id)}
    assert ids(staff.get(query=query)) == [booking.acknowledgement_id]


def test_the_list_comes_in_pages_that_new_bookings_do_not_shift(
    staff: Desk, various: dict[State, Booking], now: datetime
) -> None:
    expected = [booking.acknowledgement_id for booking in reversed(various.values())]
    seen: list[str] = []
    after = ""
    while True:
        body = api.done(staff.get(query={"limit": "4", "after": after}))
        seen += [row["acknowledgement_id"] for row in body["bookings"]]
        scenarios.submitted(f"new{len(seen)}@example.org", now=now)
        if body["next"] is None:
            break
        after = body["next"]
    assert seen == expected


def test_the_page_after_the_last_booking_is_empty_and_after_an_unknown_one_404(
    staff: Desk, various: dict[State, Booking]
) -> None:
    assert ids(staff.get(query={"after": various[State.DRAFT].acknowledgement_id})) == []
    for unknown in ("MS-000000", "nonsense"):
        api.error(staff.get(query={"after": unknown}), 404, "booking_unknown")


@pytest.mark.parametrize(
    "query",
    [
        {"state": "pending"},
        {"mode": "BY_POST"},
        {"psychologist_id": "0"},
        {"psychologist_id": "99999999999999999999"},
        {"preferred_from": "2026-13-01"},
        {"preferred_until": "tomorrow"},
        {"due_before": "2026-11-23T17:00:00"},
        {"due_before": "0001-01-01T00:00:00+14:00"},
        {"q": "\x00"},
        {"q": "x" * 101},
        {"limit": "101"},
        {"limit": "0"},
        {"limit": "-1"},
        {"after": "x" * 41},
    ],
)
def test_a_filter_that_cannot_be_read_is_400(staff: Desk, query: dict[str, str]) -> None:
    assert set(api.error(staff.get(query=query), 400, "invalid")["errors"]) == set(query)


def test_the_list_costs_four_queries_and_its_record_however_long_it_is(staff: Desk, now: datetime) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            api.done(staff.get(query={"limit": "100", "q": "a", "state": "PENDING"}))
        return len(queries)

    factories.make_booking(State.PENDING, now=now)
    few = cost()
    for number in range(20):
        factories.make_booking(State.PENDING, now=now, email=f"v{number}@example.org")
    assert cost() == few == 4 + 1  # the INSERT that tells who searched, and whose numbers were shown


# -- one booking ------------------------------------------------------------------------------------------------------


def test_one_booking_is_shown_whole_with_ledger_money_and_the_fate_of_its_mails(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    with CaptureQueriesContext(connection) as queries:
        body = api.done(staff.get(f"{booking.acknowledgement_id}/"))
    assert len(queries) <= 13
    assert set(body) > SUMMARY
    assert body["user_message"] == "I would like to talk to someone."
    assert (body["email"], body["state"], body["payment_status"]) == (ASHA, "Maharashtra", "refund_under_way")
    assert [entry["sequence"] for entry in body["ledger"]] == list(range(1, len(body["ledger"]) + 1))
    assert (body["ledger"][-1]["intent"], body["ledger"][-1]["actor"]) == ("grant_refund", "staff:desk")
    (payment,) = body["payments"]
    assert (payment["captured"], payment["refunds"][0]["amount"]) == ("1500.00", "500.00")
    (receipt,) = payment["receipts"]
    assert (receipt["number"], receipt["kind"], receipt["amount"]) == ("MS/26-27/000001", "receipt", "1500.00")
    mails = {message["kind"]: message["state"] for message in body["messages"]}
    assert mails[Notice.BOOKING_CONFIRMED] == "waiting"
    assert scenarios.token_of(booking, Notice.BOOKING_CONFIRMED) not in str(body)


@pytest.mark.parametrize("state", State)
def test_a_booking_is_shown_in_every_state(staff: Desk, state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    body = api.done(staff.get(f"{booking.acknowledgement_id.lower()}/"))
    assert (body["acknowledgement_id"], body["status"]) == (booking.acknowledgement_id, state)


@pytest.mark.parametrize("unknown", ["MS-000000", "nonsense", "0", "%00", "%E4%BD%A0", "..%2f"])
def test_an_unknown_booking_is_404(staff: Desk, unknown: str) -> None:
    api.error(staff.get(f"{unknown}/"), 404, "not_found" if unknown == "..%2f" else "booking_unknown")
    if unknown != "..%2f":
        for action, body in valid_bodies(scenarios.psychologist().pk, datetime.now().astimezone()).items():
            api.error(staff.post(f"{unknown}/{action}/", body), 404, "booking_unknown")


def test_reading_changes_nothing(staff: Desk, various: dict[State, Booking]) -> None:
    unchanged = everything()
    for path in ("", f"{various[State.PENDING].acknowledgement_id}/", *LISTS):
        api.done(staff.get(path))
        assert staff.send("HEAD", path).status_code == 200
    assert everything() == unchanged


def test_the_people_and_places_to_choose_from(staff: Desk) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place, fee_paise=99_905)
    other = scenarios.psychologist("Dr. Zoya Khan", is_active=False)
    acme = Corporate.objects.create(name="Acme")
    shown = [api.done(staff.get(path))[name] for path, name in LISTS.items()]
    baner = {"id": place.pk, "name": "Baner", "address": "12 Baner Road, Pune"}
    assert shown[1:] == [[baner], [{"id": acme.pk, "name": "Acme", "is_active": True}]]
    first, second = shown[0]
    assert (first["id"], first["fee"], first["location"]) == (who.pk, "999.05", baner)
    assert (second["id"], second["fee"], second["is_active"], second["location"]) == (other.pk, "1500.00", False, None)


# -- creating ---------------------------------------------------------------------------------------------------------


def test_a_request_that_a_caller_of_the_api_sends_twice_counts_once(staff: Desk, now: datetime) -> None:
    first, again = (api.done(staff.post("", api.form(now)), 201) for _ in range(2))
    assert first["acknowledgement_id"] == again["acknowledgement_id"]
    assert Booking.objects.count() == LedgerEntry.objects.count() == 1
    other = api.done(staff.post("", api.form(now, full_name="Asha's brother")), 201)
    assert other["acknowledgement_id"] != first["acknowledgement_id"]


def test_a_request_by_telephone_is_born_pending_with_its_id(staff: Desk, now: datetime) -> None:
    body = api.done(staff.post("", api.form(now)), 201)
    booking = Booking.objects.get()
    assert set(body) == SUMMARY
    assert (body["acknowledgement_id"], body["status"]) == (booking.acknowledgement_id, State.PENDING)
    assert (booking.origin, booking.verified_at) == (Origin.STAFF, now)
    assert LedgerEntry.objects.get(booking=booking).actor == "staff:desk"


def test_a_request_by_telephone_needs_a_name_and_one_way_to_reach_them(staff: Desk, now: datetime) -> None:
    sent = api.form(now)
    for name in ("email", "city", "age", "gender", "emergency_contact"):
        del sent[name]
    body = api.done(staff.post("", sent), 201)
    assert (body["email"], body["phone_number"], body["payment_mode"]) == ("", "9876543210", "OFFLINE")
    assert api.post(api.DRAFT, sent).status_code == 400


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"age": 12}, "age_refused", "age"),
        ({"preferred_date": "2026-11-22"}, "date_past", "preferred_date"),
        ({"consent_given": False}, "invalid", "consent_given"),
        ({"phone_number": "12"}, "invalid", "phone_number"),
        ({"phone_number": "", "email": ""}, "contact_required", "phone_number"),
    ],
)
def test_a_request_by_telephone_obeys_the_rules_of_the_form(
    staff: Desk, change: dict[str, Any], code: str, field: str, now: datetime
) -> None:
    assert field in api.error(staff.post("", api.form(now, **change)), 400, code)["errors"]
    assert not Booking.objects.exists()


# -- acting -----------------------------------------------------------------------------------------------------------


def test_an_approval_sets_what_staff_chose(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    chosen = {"amount": "999.05", "slot_minutes": 90, "meeting_link": "https://meet.example.org/other"}
    body = api.done(staff.act(booking, "approve", approval(now, **chosen)))
    assert set(body) == SUMMARY
    assert (body["status"], body["amount"]) == (State.APPROVED, "999.05")
    assert (body["slot_start"], body["slot_end"]) == ("2026-11-24T12:00:00Z", "2026-11-24T13:30:00Z")
    assert scenarios.again(booking).meeting_link == "https://meet.example.org/other"
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert (entry.intent, entry.actor) == ("approve", "staff:desk")


def test_an_instant_with_another_offset_is_the_same_instant(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    body = api.done(staff.act(booking, "approve", approval(now, slot_start="2026-11-24T17:30:00+05:30")))
    assert body["slot_start"] == "2026-11-24T12:00:00Z"


def test_the_loser_of_a_slot_is_offered_free_ones(staff: Desk, now: datetime) -> None:
    who = scenarios.psychologist()
    scenarios.approved(RAVI, now=now, who=who)
    booking = scenarios.pending(now=now)
    refused = api.error(staff.act(booking, "approve", approval(now, who=who)), 409, "slot_taken")
    assert len(refused["free_slots"]) == 3
    free = refused["free_slots"][0]["start"]
    assert free.endswith("Z")
    api.done(staff.act(booking, "approve", approval(now, who=who, slot_start=free)))
    taken = api.error(
        staff.act(booking, "reschedule", {"slot_start": at(scenarios.slot_tomorrow(now))}), 409, "slot_taken"
    )
    assert taken["free_slots"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"psychologist_id": 999}, "psychologist_required", "psychologist_id"),
        ({"psychologist_id": None}, "invalid", "psychologist_id"),
        ({"psychologist_id": "x"}, "invalid", "psychologist_id"),
        ({"slot_start": "2026-11-24T12:00:00"}, "invalid", "slot_start"),
        ({"slot_start": "2026-11-24"}, "invalid", "slot_start"),
        ({"slot_start": "2026-11-31T12:00:00Z"}, "invalid", "slot_start"),
        ({"slot_start": "0001-01-01T00:00:00+14:00"}, "invalid", "slot_start"),
        ({"slot_start": "9999-12-31T23:59:59-12:00"}, "invalid", "slot_start"),
        ({"slot_start": "9999-12-31T23:59:59Z"}, "slot_invalid", "slot_start"),
        ({"slot_start": "2026-11-23T04:30:00Z"}, "slot_past", "slot_start"),
        ({"slot_start": 1_800_000_000}, "invalid", "slot_start"),
        ({"slot_minutes": 0}, "invalid", "slot_minutes"),
        ({"slot_minutes": 241}, "slot_invalid", "slot_start"),
        ({"amount": "-1.00"}, "invalid", "amount"),
        ({"amount": "1.005"}, "invalid", "amount"),
        ({"amount": "1.5"}, "invalid", "amount"),
        ({"amount": "1e3"}, "invalid", "amount"),
        ({"amount": "१००"}, "invalid", "amount"),
        ({"amount": 1500}, "invalid", "amount"),
        ({"amount": 1500.0}, "invalid", "amount"),
        ({"amount": "21474836.48"}, "invalid", "amount"),
        ({"amount": "99999999999999999999"}, "invalid", "amount"),
        ({"amount": "100000.01"}, "amount_invalid", "amount"),
        ({"meeting_link": "javascript:alert(1)"}, "invalid", "meeting_link"),
        ({"meeting_link": "http://meet.example.org"}, "invalid", "meeting_link"),
        ({"meeting_link": "https://meet.example.org/" + "x" * 200}, "invalid", "meeting_link"),
        ({"location_id": -1}, "invalid", "location_id"),
        ({"guardian_consent": "yes"}, "invalid", "guardian_consent"),
    ],
)
def test_an_approval_that_does_not_hold_is_400_with_its_field(
    staff: Desk, change: dict[str, Any], code: str, field: str, now: datetime
) -> None:
    booking = scenarios.pending(now=now)
    sent = approval(now) | change
    unchanged = everything()
    assert set(api.error(staff.act(booking, "approve", sent), 400, code)["errors"]) == {field}
    assert everything() == unchanged


def test_an_approval_needs_a_link_a_place_a_guardian_and_a_second_look(staff: Desk, now: datetime) -> None:
    nowhere = scenarios.psychologist("Dr. Nowhere", meeting_link="")
    booking = scenarios.pending(now=now)
    missing = api.error(staff.act(booking, "approve", approval(now, who=nowhere)), 400, "meeting_link_required")
    assert set(missing["errors"]) == {"meeting_link"}
    in_person = scenarios.pending(RAVI, now=now, mode="OFFLINE")
    api.error(staff.act(in_person, "approve", approval(now, who=nowhere)), 400, "address_required")
    minor = scenarios.pending("third@example.org", now=now, age=16)
    asked = approval(now, who=scenarios.psychologist())
    api.error(staff.act(minor, "approve", asked), 409, "guardian_consent_required")
    assert api.done(staff.act(minor, "approve", {**asked, **scenarios.GUARDIAN_SENT}))["is_minor"]
    assert scenarios.again(minor).guardian_consent_by == "staff:desk"
    api.post(api.ASK_TO_CANCEL, {"acknowledgement_id": booking.acknowledgement_id})
    asked = approval(now, who=scenarios.psychologist())
    api.error(staff.act(booking, "approve", asked), 409, "cancellation_pending")
    api.done(staff.act(booking, "approve", {**asked, "despite_cancellation_request": True}))


def test_a_rejection_keeps_the_note_for_the_visitor(staff: Desk, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    body = api.done(staff.act(booking, "reject", {"note_to_visitor": "Fully booked.\nSorry."}))
    assert (body["status"], scenarios.again(booking).note_to_visitor) == (State.REJECTED, "Fully booked.\nSorry.")
    api.error(staff.act(booking, "reject"), 409, "state_refuses")
    api.error(staff.act(booking, "reject", {"note_to_visitor": "x" * 301}), 400, "invalid")


def test_cancelling_gives_everything_back_unless_staff_say_why_not(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    kept = {"refund": "none", "note_to_visitor": "We are ill."}
    refused = api.error(staff.act(booking, "cancel", kept), 400, "refund_reason_required")
    assert set(refused["errors"]) == {"refund_reason"}
    api.error(staff.act(booking, "cancel", {"refund": "half"}), 400, "invalid")
    assert api.done(staff.act(booking, "cancel"))["status"] == State.CANCELLED
    assert Refund.objects.get().amount_paise == 150_000
    api.error(staff.act(booking, "cancel"), 409, "state_refuses")
    other = scenarios.confirmed(RAVI, now=now, at=now + 3 * DAY)
    api.done(staff.act(other, "cancel", {**kept, "refund_reason": "agreed by telephone"}))
    assert Refund.objects.count() == 1


def test_a_move_keeps_id_and_payment(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    other = scenarios.psychologist("Dr. Other", meeting_link="https://meet.example.org/other")
    sent = {"slot_start": at(now + 2 * DAY), "psychologist_id": other.pk, "slot_minutes": 30}
    body = api.done(staff.act(booking, "reschedule", sent))
    assert (body["status"], body["psychologist"]["id"]) == (State.CONFIRMED, other.pk)
    assert (body["slot_start"], body["slot_end"]) == ("2026-11-25T04:30:00Z", "2026-11-25T05:00:00Z")
    assert Payment.objects.count() == SlotClaim.objects.count() == 1
    api.error(staff.act(booking, "reschedule", {}), 400, "invalid")
    api.error(staff.act(booking, "reschedule", {"slot_start": at(now - DAY)}), 400, "slot_past")


def test_the_visitor_is_asked_to_choose_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + 3 * DAY)
    body = api.done(staff.act(booking, "offer-choice"))
    assert (body["status"], body["choose_by"]) == (State.CONFIRMED, "2026-11-25T04:30:00Z")
    refused = api.error(staff.act(booking, "offer-choice"), 409, "choice_open")
    assert "by Wednesday, 25 November 2026, 10:00 IST" in refused["detail"]


def test_money_at_the_desk_confirms_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    assert api.done(staff.act(booking, "desk-payment"))["status"] == State.CONFIRMED
    api.error(staff.act(booking, "desk-payment"), 409, "already_paid")
    assert Payment.objects.count() == 1


def test_a_payment_noted_by_mistake_is_voided_and_the_session_is_to_be_paid_again(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    body = api.done(staff.act(booking, "void-desk-payment", {"why": "wrong_booking"}))
    assert body["status"] == State.APPROVED
    assert Payment.objects.get().state == PaymentState.VOIDED


def test_a_sponsor_pays(staff: Desk, now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    booking = scenarios.approved(now=now)
    refused = api.error(staff.act(booking, "sponsor", {"corporate_id": 999}), 400, "sponsor_unknown")
    assert set(refused["errors"]) == {"corporate_id"}
    api.error(staff.act(booking, "sponsor", {}), 400, "invalid")
    body = api.done(staff.act(booking, "sponsor", {"corporate_id": acme.pk}))
    assert (body["status"], body["corporate"]) == (State.CONFIRMED, {"id": acme.pk, "name": "Acme"})


def test_a_refund_is_a_part_then_all_that_is_left_then_refused(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    api.done(staff.act(booking, "refund", {"amount": "1000.00"}))
    for amount in ("500.01", "0.00"):
        api.error(staff.act(booking, "refund", {"amount": amount}), 409, "refund_exceeds_capture")
    api.error(staff.act(booking, "refund", {"amount": "-5.00"}), 400, "invalid")
    api.done(staff.act(booking, "refund"))
    api.error(staff.act(booking, "refund"), 409, "refund_exceeds_capture")
    assert sorted(Refund.objects.values_list("amount_paise", flat=True)) == [50_000, 100_000]


def test_a_refund_that_was_handed_out_is_recorded_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    api.done(staff.act(booking, "refund"))
    reference = {"refund_reference": Refund.objects.get().reference}
    for _ in range(2):
        api.done(staff.act(booking, "refund-made", reference))
    assert Refund.objects.get().state == RefundState.DONE
    assert scenarios.notices_about(booking).count(Notice.REFUND_MADE) == 1


def test_a_refund_that_the_gateway_refused_is_settled_by_hand(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    api.done(staff.act(booking, "refund-made", {"refund_reference": refund.reference}))
    assert Refund.objects.get().state == RefundState.DONE


def test_a_refund_that_is_on_its_way_at_the_gateway_is_not_settled_by_hand(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    sent = {"refund_reference": refund.reference}
    api.error(staff.act(booking, "refund-made", sent), 409, "refund_at_gateway")
    assert Refund.objects.get().state == RefundState.QUEUED


def test_a_refund_of_another_booking_or_none_is_404(staff: Desk, now: datetime) -> None:
    other = scenarios.confirmed(RAVI, now=now)
    refund = refunds.grant_refund(other.pk, None, actor="staff:desk", now=now)
    booking = scenarios.pending(now=now)
    for reference in (refund.reference, "REF-000"):
        sent = {"refund_reference": reference}
        api.error(staff.act(booking, "refund-made", sent), 404, "refund_unknown")
    api.error(staff.act(booking, "refund-made", {}), 400, "invalid")
    assert Refund.objects.get().state == RefundState.QUEUED


def test_an_outcome_is_recorded_and_corrected_while_it_may(
    staff: Desk, now: datetime, clock: time_machine.Traveller
) -> None:
    booking = scenarios.confirmed(now=now)
    early = api.error(staff.act(booking, "outcome", {"outcome": "attended"}), 409, "outcome_closed")
    assert "7 days" in early["detail"]
    clock.move_to(booking.slot_start)
    staff = desk(username="later")
    for outcome in ("attended", "no_show"):
        assert api.done(staff.act(booking, "outcome", {"outcome": outcome}))["outcome"] == outcome
    api.error(staff.act(booking, "outcome", {"outcome": "asleep"}), 400, "invalid")
    clock.move_to(booking.slot_end + policy.OUTCOME_OPEN_FOR)
    staff = desk(username="too late")
    api.error(staff.act(booking, "outcome", {"outcome": "attended"}), 409, "outcome_closed")


def test_a_long_user_name_fits_the_ledger(now: datetime) -> None:
    staff = desk(username="x" * 150)
    booking = scenarios.pending(now=now, age=16)
    api.done(staff.act(booking, "approve", approval(now, **scenarios.GUARDIAN_SENT)))
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert entry.actor == f"staff:{'x' * 74}" == scenarios.again(booking).guardian_consent_by


# -- every intent in every state --------------------------------------------------------------------------------------


def valid_bodies(psychologist_id: int, now: datetime) -> dict[str, dict[str, Any]]:
    """For each action a body that can be read."""
    return {
        "approve": {"psychologist_id": psychologist_id, "slot_start": at(now + 3 * DAY)},
        "reject": {},
        "cancel": {},
        "reschedule": {"slot_start": at(now + 4 * DAY)},
        "offer-choice": {},
        "desk-payment": {},
        "sponsor": {"corporate_id": 1},
        "refund": {},
        "refund-made": {"refund_reference": "REF-1"},
        "outcome": {"outcome": "attended"},
    }


ACTIONS = tuple(valid_bodies(1, datetime.min))
ALLOWED = {
    "approve": {State.PENDING},
    "reject": {State.PENDING},
    "cancel": {State.PENDING, State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "reschedule": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "offer-choice": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "desk-payment": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED, State.COMPLETED},  # nothing was paid
    "sponsor": {State.PENDING, State.APPROVED, State.PAYMENT_PENDING},
    "refund": set(),  # nothing was paid
    "refund-made": set(),
    "outcome": {State.COMPLETED},  # the session of the confirmed one is tomorrow
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_intent_in_every_state_is_done_or_refused(staff: Desk, action: str, state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    Corporate.objects.create(pk=1, name="Acme")
    body = valid_bodies((booking.psychologist or scenarios.psychologist()).pk, now)[action]
    unchanged = everything()
    response = staff.act(booking, action, body)
    if state in ALLOWED[action]:
        shown = api.done(response)
        assert shown["status"] == scenarios.again(booking).state
        assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence + 1
    else:
        assert response.status_code in (404, 409)
        api.error(response, response.status_code, response.json()["code"])
        assert everything() == unchanged


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_refuses_a_body_that_is_no_object(staff: Desk, action: str, now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    for body in (b"[]", b"{", b'"x"', b"\xff"):
        api.error(staff.post(f"{booking.acknowledgement_id}/{action}/", body), 400, "malformed")


def test_a_closed_booking_says_why_it_refuses(staff: Desk, now: datetime) -> None:
    for number, state in enumerate(FINAL):
        booking = factories.make_booking(state, now=now, email=f"v{number}@example.org")
        detail = api.error(staff.act(booking, "cancel"), 409, "state_refuses")["detail"]
        assert "moved on" not in detail
