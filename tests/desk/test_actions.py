"""Every action of staff: its button, what its page promises, what it does, and that nothing is decided twice."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client as Browser

from backend.bookings.intents import Intent
from backend.bookings.lifecycle.transaction import record_event
from backend.bookings.models import Booking, LedgerEntry
from backend.desk.booking.actions.action import Decision
from backend.desk.booking.actions.decide import carry_out
from backend.desk.consequences import Consequences
from backend.desk.decisions import Overtaken
from backend.desk.words import message_name
from backend.outbox.models import Message, Queue
from tests.support import scenarios
from tests.support.action_cases import BY_NAME, CASES, Case
from tests.support.admin_site import action_url, buttons, clerk, logged_in, owner, page_url, written

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
every_decision = pytest.mark.parametrize(  # whatever happens since ends the time to undo one
    "case", [case for case in CASES if case.name != "undo"], ids=lambda case: f"{case.name}-{case.begin.__name__}"
)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.begin.__name__}")


@pytest.fixture
def desk_browser() -> Browser:
    return owner()


@pytest.fixture
def begun(case: Case, now: datetime, clock: time_machine.Coordinates) -> Booking:
    """The case's booking, at the time when staff act."""
    booking = case.begin(now)
    clock.move_to(now + case.at)
    return booking


# -- every action ------------------------------------------------------------------------------------------------------


def test_every_action_has_a_case() -> None:
    assert {case.name for case in CASES} == set(BY_NAME)


AS_OPENED = {"undo", "reject", "offer-choice", "record-payment", "refund", "refund-made"}  # these need nothing typed


@every_case
def test_the_button_leads_to_a_page_that_says_what_will_happen_and_it_does_once(
    case: Case, begun: Booking, desk_browser: Browser
) -> None:
    assert action_url(begun, case.name) in desk_browser.get(page_url(begun)).content.decode()
    opened = desk_browser.get(action_url(begun, case.name))
    foretells_what_its_form_begins_with_or_says_what_to_choose(case, opened.context["consequences"])
    typed, before, mails_before = case.typed(begun), written(), set(Message.objects.values_list("pk", flat=True))
    preview = desk_browser.post(action_url(begun, case.name), {**typed, "preview": "1"})
    assert preview.status_code == 200
    assert written() == before
    answer = desk_browser.post(action_url(begun, case.name), typed, follow=True)
    assert answer.redirect_chain == [(page_url(begun), 302)]
    entry = LedgerEntry.objects.filter(booking=begun).latest("sequence")
    assert (entry.intent, entry.actor) == (case.intent, "staff:desk")
    mails = Message.objects.filter(queue=Queue.MAIL).exclude(pk__in=mails_before)
    promised, done = preview.content.decode(), answer.content.decode()
    for mail in mails:
        words = f"{message_name(mail.kind)} to {mail.recipient} ("
        assert words in promised
        assert words in done
    assert mails.exists() or ("Nobody is mailed." in promised and "Mails: none." in done)
    sent_again_does_nothing(case, begun, typed, desk_browser)


def foretells_what_its_form_begins_with_or_says_what_to_choose(case: Case, found: Consequences) -> None:
    if case.name in AS_OPENED:
        assert {name for name, _ in found.lines} >= {"Booking", "Mail", "Money"}
        assert found.unknown == ""
    else:
        assert (found.lines, found.unknown) == ((), case.action.form.asks)


def sent_again_does_nothing(case: Case, begun: Booking, typed: dict[str, str], desk_browser: Browser) -> None:
    before = written()
    again = desk_browser.post(action_url(begun, case.name), typed)
    assert again.status_code == 409
    assert f"{Intent(case.intent).label} (desk, " in again.content.decode()
    assert "Nothing was changed" in again.content.decode()
    assert written() == before


@every_decision
def test_what_happened_since_the_page_was_opened_is_shown_before_anything_is_done(
    case: Case, begun: Booking, desk_browser: Browser, now: datetime
) -> None:
    typed = case.typed(begun)
    booking = scenarios.again(begun)
    record_event(booking, intent=Intent.REQUEST_CANCELLATION, actor="staff:meera", now=now)
    before = written()
    answer = desk_browser.post(action_url(begun, case.name), typed)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Something happened while this page was open." in page
    assert "the visitor asked to cancel; it is not proved (meera, Mon 23 Nov 2026, 10:00 IST)" in page
    assert written() == before
    for name, value in typed.items():
        if name != "seen":
            assert answer.context["form"].data[name] == value
    assert f'name="seen" value="{booking.ledger_sequence}"' in page
    assert desk_browser.post(action_url(begun, case.name), case.typed(begun)).status_code == 302


@every_decision
def test_of_two_at_the_same_moment_one_decides(case: Case, begun: Booking, now: datetime) -> None:
    """The other had read the booking before, and comes to the lock after."""
    typed = QueryDict(mutable=True)
    typed.update(case.typed(begun))
    form = case.action.form(scenarios.again(begun), typed)
    assert form.is_valid(), form.errors
    record_event(scenarios.again(begun), intent=Intent.REQUEST_CANCELLATION, actor="staff:meera", now=now)
    before = written()
    with pytest.raises(Overtaken):
        carry_out(case.action, Decision(form, actor="staff:desk", now=now + case.at))
    assert written() == before


@every_case
def test_acting_needs_the_permission_to_change_a_booking(case: Case, begun: Booking) -> None:
    url, typed = action_url(begun, case.name), case.typed(begun)
    reader, before = clerk("reader", "view_booking"), written()
    assert buttons(reader, begun) == set()
    assert reader.get(url).status_code == 404
    assert reader.post(url, typed).status_code == 404
    assert Browser().post(url, typed)["Location"].startswith("/admin/login/")
    careful = logged_in(User.objects.create_superuser("desk"), enforce_csrf_checks=True)
    assert careful.post(url, typed).status_code == 403
    assert written() == before
    assert clerk("decider", "change_booking").post(url, typed).status_code == 302


@pytest.mark.parametrize("name", BY_NAME)
def test_an_unknown_booking_has_no_actions(name: str, desk_browser: Browser) -> None:
    assert desk_browser.get(f"/admin/bookings/booking/999/{name}/").status_code == 404
