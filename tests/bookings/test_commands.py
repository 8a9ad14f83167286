"""A booking is approved, and an empty practice is filled, from the command line."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Q
from django.test import Client as Browser

from backend.accounts import second_factor
from backend.bookings.lifecycle import cancellation
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, LedgerEntry, SlotClaim
from backend.outbox.models import Message
from backend.people.models import Corporate, Location, Psychologist, WorkingHours
from config import settings as product
from tests.support import scenarios, working_hours
from tests.support.factor import App

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

WEDNESDAY_EVENING = "2026-11-25 18:00"  # two days after `now`


def run(*arguments: object) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=printed)
    return printed.getvalue()


def refusal(*arguments: object) -> str:
    """The error of approve_booking; nothing may have been written."""
    before = LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count()
    with pytest.raises(CommandError) as error:
        run("approve_booking", *arguments)
    assert (LedgerEntry.objects.count(), Message.objects.count(), SlotClaim.objects.count()) == before
    assert error.value.returncode == 1
    return str(error.value)


# -- approve_booking ---------------------------------------------------------------------------------------------------


def test_a_booking_is_approved_and_one_line_says_what_was_settled(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    printed = run(
        "approve_booking", booking, "--psychologist", who.pk, "--at", WEDNESDAY_EVENING, "--amount", "1200.50"
    )
    assert printed == (
        f"{booking} APPROVED Wed 25 Nov 2026, 18:00 IST, Dr. Meera Iyer, ₹1,200.50, pay by Tue 24 Nov 2026, 10:00 IST\n"
    )
    approved = scenarios.again(booking)
    assert (approved.state, approved.amount_paise) == (State.APPROVED, 120_050)
    assert approved.slot_start == datetime.fromisoformat("2026-11-25T18:00+05:30")
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").actor == "staff:console"


def test_nothing_to_pay_is_said(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    printed = run("approve_booking", booking, "--psychologist", who.pk, "--at", WEDNESDAY_EVENING, "--amount", "0")
    assert " CONFIRMED " in printed
    assert printed.endswith("₹0.00, nothing to pay up front\n")


@pytest.mark.parametrize(
    "at", ["2026-11-25 18:00", "2026-11-25T18:00", "2026-11-25T12:30+00:00", "2026-11-25 12:30Z", "2026-11-25 18:00:00"]
)
def test_times_are_the_practices_unless_they_carry_an_offset(now: datetime, at: str) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    run("approve_booking", booking, "--psychologist", who.pk, "--at", at)
    assert scenarios.again(booking).slot_start == datetime.fromisoformat("2026-11-25T18:00+05:30")


def test_a_slot_can_start_some_seconds_from_now(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    run("approve_booking", booking, "--psychologist", who.pk, "--in", 7200)
    assert scenarios.again(booking).slot_start == now + timedelta(seconds=7200)


def test_every_choice_reaches_the_booking(now: datetime) -> None:
    online, in_person = scenarios.pending(now=now, age=17), scenarios.pending("r@example.org", now=now, mode="OFFLINE")
    who, rooms = scenarios.psychologist(), Location.objects.create(name="Rooms", address="1 Road")
    link = "https://meet.example.org/other"
    given = ("--length", 30, "--meeting-link", link, "--actor", "staff:asha")
    guardian = ("--guardian-consent", "Meera Rao", "--guardian-proof", "document")
    run("approve_booking", online, "--psychologist", who.pk, "--at", WEDNESDAY_EVENING, *given, *guardian)
    run("approve_booking", in_person, "--psychologist", who.pk, "--at", "2026-11-25 20:00", "--location", rooms.pk)
    online, in_person = scenarios.again(online), scenarios.again(in_person)
    assert online.slot_start is not None
    assert online.slot_end == online.slot_start + timedelta(minutes=30)
    assert (online.meeting_link, online.guardian_consent_by) == (link, "staff:asha")
    assert (online.guardian_name, online.guardian_proof) == ("Meera Rao", "document")
    assert in_person.address == "1 Road"


def test_a_misread_id_and_a_name_in_any_case_are_understood(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    Booking.objects.filter(pk=booking.pk).update(acknowledgement_id="MS-10ABCD")
    scenarios.psychologist("Dr. Meera Iyer")
    printed = run("approve_booking", " ms-ioabcd ", "--psychologist", "dr. meera iyer", "--at", WEDNESDAY_EVENING)
    assert printed.startswith("MS-10ABCD APPROVED ")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"--at": "2026-11-22 18:00"}, "slot_past: This time is in the past."),
        ({"--at": "2026-11-23 10:10"}, "slot_too_near: The visitor has to pay online, and this time is nearer than 30"),
        ({"--length": "300"}, "slot_invalid: A session lasts at most 4 hours and starts within the next 366 days."),
        ({"--amount": "100001"}, "amount_invalid: "),
        ({"--amount": "-1"}, "amount_invalid: "),
        ({"--psychologist": "Dr. Gone"}, "psychologist_required: Choose a psychologist who is active."),
        ({"--psychologist": "Dr. Linkless"}, "meeting_link_required: "),
        ({"--at": "2026-11-24 17:30"}, "slot_taken: The psychologist has another session at this time. Free near it: "),
    ],
)
def test_a_refusal_is_an_error_with_its_code_and_sentence(now: datetime, changes: dict[str, str], code: str) -> None:
    who = scenarios.psychologist("Dr. Here")
    scenarios.psychologist("Dr. Gone", is_active=False)
    scenarios.psychologist("Dr. Linkless", meeting_link="")
    scenarios.approved("ravi@example.org", now=now, who=who)
    options = {"--psychologist": "Dr. Here", "--at": WEDNESDAY_EVENING} | changes
    arguments = [f"{name}={value}" for name, value in options.items()]
    assert refusal(scenarios.pending(now=now), *arguments).startswith(code)


def test_what_a_booking_itself_refuses_is_said(now: datetime) -> None:
    who = scenarios.psychologist()
    settled = ("--psychologist", who.pk, "--at", WEDNESDAY_EVENING)
    minor = scenarios.pending("minor@example.org", now=now, age=17)
    in_person = scenarios.pending("place@example.org", now=now, mode="OFFLINE")
    assert refusal(minor, *settled).startswith("guardian_consent_required: ")
    assert refusal(in_person, *settled).startswith("address_required: ")
    assert "It is now Draft" in refusal(scenarios.submitted("draft@example.org", now=now), *settled)
    twice = scenarios.approved(now=now, who=who)
    assert refusal(twice, *settled).startswith(
        "state_refuses: This booking was dealt with before you. It is now Approved: staff set psychologist, slot and "
        "amount (desk, "
    )


def test_a_visitor_who_asked_to_cancel_is_looked_at_twice(now: datetime) -> None:
    booking, settled = (
        scenarios.pending(now=now),
        ("--psychologist", scenarios.psychologist().pk, "--at", WEDNESDAY_EVENING),
    )
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    assert refusal(booking, *settled).startswith(
        "cancellation_pending: The visitor asked to cancel, Mon 23 Nov 2026, 10:00 IST"
    )
    assert " APPROVED " in run("approve_booking", booking, *settled, "--despite-cancellation-request")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MS-12"], "'MS-12' is not an acknowledgement id: MS- and six letters or digits."),
        (["MS-ZZZZZZ"], "There is no booking MS-ZZZZZZ."),
        (["--psychologist", "Dr. Nobody"], "there is no such psychologist. Known: 1 Dr. Meera Iyer."),
        (["--psychologist", "999"], "there is no such psychologist. Known: 1 Dr. Meera Iyer."),
        (["--at", "tomorrow at six"], "--at 'tomorrow at six': give date and time, such as"),
        (["--at", "2026-13-45 18:00"], "--at '2026-13-45 18:00': Enter a valid date/time."),
        (["--at", "2026-11-25"], "give date and time"),
        (["--length", "0"], "--length 0: give minutes between 1 and 1440."),
        (["--length", "soon"], "argument --length: invalid int value"),
        (["--amount", "much"], "--amount 'much': Enter a number."),
        (["--amount", "1.005"], "no more than 2 decimal places"),
        (["--amount", ""], "--amount '': This field is required."),
        (["--meeting-link", "not a link"], "--meeting-link 'not a link': Enter a valid URL."),
        (["--location", "999"], "--location 999: there is no such location."),
        (["--actor", "desk"], "--actor 'desk': give staff: and a name"),
        (["--in", "60"], "not allowed with argument --at"),
    ],
)
def test_a_typing_error_is_named(now: datetime, arguments: list[str], message: str) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    message = message.replace("Known: 1", f"Known: {who.pk}")
    named = [] if arguments[0].startswith("--") else [arguments[0]]
    options = {"--psychologist": str(who.pk), "--at": WEDNESDAY_EVENING}
    if not named:
        options[arguments[0]] = arguments[1]
    words = [word for pair in options.items() for word in pair]
    assert message in refusal(*(named or [booking]), *words)


@pytest.mark.parametrize("seconds", [0, -5, 366 * 24 * 3600 + 1])
def test_an_impossible_wait_is_named(now: datetime, seconds: int) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    assert f"--in {seconds}: give seconds" in refusal(booking, f"--psychologist={who.pk}", f"--in={seconds}")


def test_psychologist_and_time_are_required(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    assert "--psychologist" in refusal(booking, "--at", WEDNESDAY_EVENING)
    assert "one of the arguments --at --in is required" in refusal(booking, "--psychologist", who.pk)


def test_of_two_people_with_one_name_the_number_decides(now: datetime) -> None:
    booking, first, second = scenarios.pending(now=now), scenarios.psychologist(), scenarios.psychologist()
    error = refusal(booking, "--psychologist", "Dr. Meera Iyer", "--at", WEDNESDAY_EVENING)
    assert f"several people have this name. Known: {first.pk} Dr. Meera Iyer, {second.pk} Dr. Meera Iyer." in error


def test_a_time_outside_the_hours_is_booked_when_the_command_says_so(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), working_hours.psychologist(hours="08:00 09:00")
    at = ("--psychologist", str(who.pk), "--at", WEDNESDAY_EVENING)
    assert "outside_hours: This time is outside the psychologist's hours" in refusal(booking, *at)
    assert " APPROVED " in run("approve_booking", booking, *at, "--despite-hours")


# -- seed_practice -----------------------------------------------------------------------------------------------------


def rows() -> list[object]:
    """Everything the command may touch."""
    models = (Psychologist, WorkingHours, Location, Corporate, ClosedDay, User)
    return [row for model in models for row in model.objects.order_by("pk").values()]


def test_a_practice_is_seeded_and_its_desk_can_log_in(settings) -> None:
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS  # as deployed; the other tests use a quick one
    settings.DEBUG = True
    printed = run("seed_practice")
    assert Psychologist.objects.filter(is_active=True).exclude(meeting_link="").exclude(location=None).count() == 4
    assert len(set(Psychologist.objects.values_list("fee_paise", flat=True))) == 3
    assert (Location.objects.count(), Corporate.objects.count()) == (1, 1)
    for row in (*Psychologist.objects.all(), *WorkingHours.objects.all()):
        row.full_clean()
    without = Q(languages=None) | Q(specializations=None) | Q(working_hours=None)
    assert not Psychologist.objects.filter(without).exists()
    assert ClosedDay.objects.get().get_weekday_display() == "Sunday"
    password = re.search(r"with the password (\S+) \(shown this once\)", printed)
    assert password is not None
    assert Browser().login(username="desk", password=password[1])
    secret = re.search(r"the secret (\w+) in an authenticator app, otpauth://", printed)
    assert secret is not None
    assert "FOR DEVELOPMENT ALONE" in printed
    assert second_factor.check_code(User.objects.get(), App(secret[1]).code())
    desk = User.objects.get()
    assert (desk.is_superuser, desk.is_staff) == (True, True)
    assert desk.password.startswith("argon2")


def test_a_real_practice_gets_no_account_and_no_code(settings) -> None:
    assert "manage.py first_owner makes one" in run("seed_practice")
    assert not User.objects.exists()
    settings.DEBUG = True
    run("seed_practice")
    assert re.fullmatch(r"\d{6}\n", run("development_code"))
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG off"):
        run("development_code")


def test_seeding_again_changes_nothing_and_shows_no_password(settings) -> None:
    settings.DEBUG = True
    run("seed_practice")
    before = rows()
    printed = run("seed_practice")
    assert rows() == before
    assert "kept account desk" in printed
    assert "manage.py changepassword desk" in printed
    assert "with the password" not in printed


def test_seeding_leaves_what_people_made_as_it_is(settings) -> None:
    settings.DEBUG = True
    mine = Psychologist.objects.create(full_name="Dr. Ananya Iyer", email="mine@example.org", fee_paise=1)
    desk = User.objects.create_user("desk", password="their own")
    ClosedDay.objects.create(weekday=6, note="ours")
    before = [Psychologist.objects.values().get(), User.objects.values().get(), ClosedDay.objects.values().get()]
    run("seed_practice")
    psychologists = Psychologist.objects.filter(pk=mine.pk)
    assert [psychologists.values().get(), User.objects.values().get(), ClosedDay.objects.values().get()] == before
    assert list(User.objects.all()) == [desk]
    assert Psychologist.objects.count() == 4
