"""Staff approve a request in the admin: the form, its refusals, and who may use it."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils.html import escape

from backend.bookings.lifecycle import approval, cancellation
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.people.models import Location
from backend.scheduling.suggestions import suggestions
from tests.support import scenarios, working_hours
from tests.support.admin_site import action_url, clerk, form_of, logged_in, page_url, session_form, written

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]


def approve_url(booking: Booking) -> str:
    return action_url(booking, "approve")


def test_staff_approve_through_the_form_and_read_what_was_done(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    form = desk.get(approve_url(booking))
    assert form.status_code == 200
    assert "Session starts (IST)" in form.content.decode()
    assert escape(booking.user_message) in form.content.decode()
    answer = desk.post(approve_url(booking), session_form(booking, who, length="45", amount="1200.50"), follow=True)
    assert answer.redirect_chain == [(page_url(booking), 302)]
    approved = scenarios.again(booking)
    assert approved.state == State.APPROVED
    assert approved.slot_start == datetime.fromisoformat("2026-11-25T18:00+05:30")
    assert approved.slot_end == datetime.fromisoformat("2026-11-25T18:45+05:30")
    assert approved.amount_paise == 120_050
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").actor == "staff:desk"
    page = answer.content.decode()
    assert "₹1,200.50 to be paid by" in page
    assert "request approved to asha@example.org (in 1 min, unless undone), " in page
    assert "reminder to pay to asha@example.org (Mon 23" in page


def test_empty_amount_length_and_link_mean_the_usual_ones(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist(fee_paise=99_900)
    assert desk.post(approve_url(booking), session_form(booking, who, length="")).status_code == 302
    approved = scenarios.again(booking)
    assert (approved.amount_paise, approved.meeting_link) == (99_900, who.meeting_link)
    assert approved.slot_end == datetime.fromisoformat("2026-11-25T19:00+05:30")


def test_the_first_time_that_is_all_the_visitor_asked_for_is_filled_in(desk: Browser, now: datetime) -> None:
    who = working_hours.psychologist()
    booking = scenarios.pending(now=now)
    form = desk.get(action_url(booking, "approve")).context["form"]
    best = next(one.slot for one in suggestions(booking, now=now))
    assert (form["slot_start"].initial, form["psychologist"].initial) == (best.start, who.pk)


def test_nothing_to_pay_confirms_and_the_message_names_no_payment(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    page = desk.post(approve_url(booking), session_form(booking, who, amount="0"), follow=True).content.decode()
    assert scenarios.again(booking).state == State.CONFIRMED
    assert "is Confirmed" in page
    assert "to be paid by Tue" not in page
    assert "session confirmed to asha@example.org (in 1 min, unless undone)" in page


def test_the_form_shows_only_what_matters_to_the_booking(desk: Browser, now: datetime) -> None:
    adult_online = scenarios.pending(now=now)
    minor_in_person = scenarios.pending("ravi@example.org", now=now, age=17, mode="OFFLINE")
    assert list(desk.get(approve_url(adult_online)).context["form"].fields) == [
        "psychologist", "slot_start", "length", "amount", "meeting_link",
    ]  # fmt: skip
    assert list(desk.get(approve_url(minor_in_person)).context["form"].fields) == [
        "psychologist", "slot_start", "length", "amount", "location", "guardian_consent", "guardian_name",
        "guardian_proof",
    ]  # fmt: skip


def test_the_form_starts_from_the_preferred_day_and_hour(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(
        now=now, preferred_period="CUSTOM", preferred_time_start=time(18), preferred_time_end=time(20)
    )
    page = desk.get(approve_url(booking)).content.decode()
    assert 'value="2026-11-26"' in page
    assert 'value="18:00"' in page


def test_only_active_psychologists_are_offered(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    here, gone = scenarios.psychologist("Dr. Here"), scenarios.psychologist("Dr. Gone", is_active=False)
    assert list(desk.get(approve_url(booking)).context["form"].fields["psychologist"].queryset) == [here]
    answer = desk.post(approve_url(booking), session_form(booking, gone))
    assert answer.status_code == 400
    assert ANSWERS[Code.PSYCHOLOGIST_REQUIRED].sentence in answer.content.decode()


@pytest.mark.parametrize(
    ("code", "status", "visitor", "psychologist", "form"),
    [
        (Code.PSYCHOLOGIST_REQUIRED, 400, {}, {}, {"psychologist": ""}),
        (Code.SLOT_PAST, 400, {}, {}, {"slot_start_0": "2026-11-22"}),
        (Code.SLOT_TOO_NEAR, 409, {}, {}, {"slot_start_0": "2026-11-23", "slot_start_1": "10:20"}),
        (Code.SLOT_INVALID, 400, {}, {}, {"length": "241"}),
        (Code.SLOT_INVALID, 400, {}, {}, {"slot_start_0": "2028-11-25"}),
        (Code.SLOT_TAKEN, 409, {}, {}, {"slot_start_0": "2026-11-24", "slot_start_1": "17:30"}),
        (Code.MEETING_LINK_REQUIRED, 400, {}, {"meeting_link": ""}, {}),
        (Code.ADDRESS_REQUIRED, 400, {"mode": "OFFLINE"}, {}, {}),
        (Code.GUARDIAN_CONSENT_REQUIRED, 409, {"age": 17}, {}, {}),
        (Code.AMOUNT_INVALID, 400, {}, {}, {"amount": "100000.01"}),
        (Code.AMOUNT_INVALID, 400, {}, {}, {"amount": "-1"}),
    ],
)
def test_a_refusal_is_shown_beside_what_was_typed_and_nothing_is_written(
    desk: Browser, now: datetime, code: Code, status: int, visitor: dict, psychologist: dict, form: dict
) -> None:
    who = scenarios.psychologist(**psychologist)
    if code == Code.SLOT_TAKEN:
        scenarios.approved("ravi@example.org", now=now, who=who)
    booking = scenarios.pending(now=now, **visitor)
    before = written()
    answer = desk.post(approve_url(booking), {**session_form(booking, who, amount="1234.5"), **form})
    assert answer.status_code == status
    shown, expected = answer.context["form"], ANSWERS[code]
    assert str(shown.errors[expected.desk_field][0]).startswith(expected.desk_sentence.partition("{")[0])
    assert escape(shown.errors[expected.desk_field][0]) in answer.content.decode()
    assert f'value="{form.get("amount", "1234.5")}"' in answer.content.decode()
    assert written() == before
    assert scenarios.again(booking).state == State.PENDING


def test_a_taken_slot_names_the_free_ones_nearby(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    scenarios.approved("ravi@example.org", now=now, who=who)  # Tue 24 Nov 2026, 17:30 IST
    booking = scenarios.pending(now=now)
    page = desk.post(approve_url(booking), session_form(booking, who, "2026-11-24 17:30")).content.decode()
    assert "Free near it: Tue 24 Nov 2026, 16:00 IST;" in page


def test_typing_errors_are_shown_beside_their_field(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    mistakes = {"slot_start_1": "half six", "length": "-1", "amount": "12.345", "meeting_link": "http://insecure.org"}
    answer = desk.post(approve_url(booking), session_form(booking, who) | mistakes)
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"slot_start", "length", "amount", "meeting_link"}
    assert desk.post(approve_url(booking), form_of(booking)).status_code == 400
    assert scenarios.again(booking).state == State.PENDING


def test_the_consent_of_a_guardian_is_recorded_and_shown_with_who_and_how(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now, age=17), scenarios.psychologist()
    typed = session_form(booking, who, **scenarios.GUARDIAN_TYPED)
    unproved = desk.post(approve_url(booking), {**typed, "guardian_proof": ""})
    assert list(unproved.context["form"].errors) == ["guardian_consent"]
    assert desk.post(approve_url(booking), typed).status_code == 302
    page = desk.get(page_url(booking)).content.decode()
    assert "Meera Rao, mother. An identity document was shown. Recorded by desk" in page


def test_an_in_person_session_takes_the_chosen_location(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now, mode="OFFLINE", payment_mode="OFFLINE"), scenarios.psychologist()
    rooms = Location.objects.create(name="Rooms", address="1 Road, Pune")
    assert desk.post(approve_url(booking), session_form(booking, who, location=str(rooms.pk))).status_code == 302
    assert scenarios.again(booking).address == "1 Road, Pune"


def test_the_second_of_two_reads_who_was_first_and_changes_nothing(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    approval.approve(booking.pk, approval.Approval(who.pk, scenarios.slot_tomorrow(now)), actor="staff:meera", now=now)
    before = written()
    answer = desk.post(approve_url(booking), session_form(booking, who, meeting_link="https://meet.example.org/kept"))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "staff set psychologist, slot and amount (meera, Mon 23 Nov 2026, 10:00 IST)" in page
    assert "It is now Approved" in page
    assert "https://meet.example.org/kept" in page
    assert written() == before
    late = desk.get(approve_url(booking), follow=True)
    assert late.redirect_chain == [(page_url(booking), 302)]
    assert "(meera, " in late.content.decode()


def test_approving_needs_the_permission_to_change_a_booking(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    reader = clerk("reader", "view_booking")
    page = reader.get(page_url(booking))
    assert page.status_code == 200
    assert "/approve/" not in page.content.decode()
    assert reader.get(approve_url(booking)).status_code == 404
    assert reader.post(approve_url(booking), session_form(booking, who)).status_code == 404
    assert Browser().get(approve_url(booking))["Location"].startswith("/admin/login/")
    assert scenarios.again(booking).state == State.PENDING
    assert clerk("decider", "change_booking").post(approve_url(booking), session_form(booking, who)).status_code == 302


def test_a_forged_form_is_refused(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    browser = logged_in(User.objects.create_superuser("desk"), enforce_csrf_checks=True)
    assert browser.post(approve_url(booking), session_form(booking, who)).status_code == 403
    assert scenarios.again(booking).state == State.PENDING


def test_a_long_user_name_fits_the_ledger(now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    long = logged_in(User.objects.create_superuser("x" * 150))
    assert long.post(approve_url(booking), session_form(booking, who)).status_code == 302
    assert len(LedgerEntry.objects.filter(booking=booking).latest("sequence").actor) == 80


def test_an_unknown_booking_cannot_be_approved(desk: Browser) -> None:
    assert desk.get("/admin/bookings/booking/999/approve/").status_code == 404


# -- a visitor who asked to cancel -------------------------------------------------------------------------------------


def test_a_request_whose_visitor_asked_to_cancel_is_looked_at_twice(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    assert "despite_cancellation_request" not in desk.get(approve_url(booking)).context["form"].fields
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    form = desk.get(approve_url(booking)).content.decode()
    assert "The visitor asked to cancel</strong>, Mon 23 Nov 2026, 10:00 IST" in form
    assert "despite_cancellation_request" in form
    before = written()
    refused = desk.post(approve_url(booking), session_form(booking, who))
    assert refused.status_code == 409
    assert "asked to cancel, Mon 23 Nov 2026, 10:00 IST" in str(
        refused.context["form"].errors["despite_cancellation_request"]
    )
    assert written() == before
    despite = session_form(booking, who, despite_cancellation_request="on")
    assert desk.post(approve_url(booking), despite).status_code == 302
    assert scenarios.again(booking).state == State.APPROVED


# -- what follows ------------------------------------------------------------------------------------------------------


def test_a_page_that_has_too_little_says_what_to_choose(desk: Browser, now: datetime) -> None:
    page = desk.get(approve_url(scenarios.pending(now=now))).content.decode()
    assert "Choose a psychologist and a time to see what follows." in page
    assert 'name="preview"' in page


def test_what_is_typed_is_foretold_stays_typed_and_is_not_done(desk: Browser, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    before = written()
    shown = desk.post(approve_url(booking), session_form(booking, who, amount="1200.50", preview="1"))
    assert shown.status_code == 200
    assert dict(shown.context["consequences"].lines) == {
        "Booking": ("It is then Approved.", "To be paid by Tue 24 Nov 2026, 10:00 IST, else the slot is given back."),
        "Slot": ("Held: Dr. Meera Iyer, Wed 25 Nov 2026, 18:00 IST, with the pause until Wed 25 Nov 2026, 19:15 IST.",),
        "Mail": (
            "request approved to asha@example.org (in 1 min, unless undone)",
            "reminder to pay to asha@example.org (Mon 23 Nov 2026, 20:59 IST)",
        ),
        "Money": ("The visitor is asked for ₹1,200.50.",),
    }
    assert 'value="1200.50"' in shown.content.decode()
    assert written() == before


def test_what_would_be_refused_is_foretold_as_a_refusal(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    before = written()
    for typed, status, words in (
        (session_form(booking, None, preview="1"), 200, "As it stands, this is refused. Choose a psychologist"),
        (session_form(booking, None, preview="1", length="x"), 400, "Mend what is marked, then see what follows."),
        (session_form(booking, None, preview="1", seen="1"), 409, "Mend what is marked, then see what follows."),
    ):
        shown = desk.post(approve_url(booking), typed)
        assert shown.status_code == status
        assert words in shown.content.decode()
    assert written() == before
