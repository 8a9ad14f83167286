"""A person of unmistakable words, on every way on which words about somebody come to us and are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import time_machine
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings import links
from backend.bookings.lifecycle import (
    alternatives,
    attempts,
    cancellation,
    choices,
    follow_ups,
    front_desk,
    series,
    visitor,
)
from backend.bookings.lifecycle.session_terms import GuardianConsent
from backend.bookings.machine import State
from backend.bookings.models import Booking, GuardianProof, Purpose
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message, MessageState, Queue
from backend.people.models import Client, Psychologist
from tests.support import admin_site, api, erasures, link_pages, scenarios, sentinels, working_hours
from tests.support.every_intent import EVERY_INTENT

ELSEWHERE = "zephyrine@second.leakymail.example"  # an address that staff noted for a while
OTHER_SPELLING = sentinels.EMAIL.replace("@", "+news@")  # of the same mailbox
STAFF, GATEWAY = {"actor": "staff:desk"}, {"actor": "gateway:sandbox"}
APART = timedelta(days=7)  # from one walk to the next, each on a Monday; the last link is asked for in time
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Places:
    """Where the person is met: the desk, and whom they are treated by."""

    desk: Browser
    who: Psychologist


Walk = Callable[[Places, datetime], None]


def everywhere(desk: Browser, clock: time_machine.Traveller, now: datetime) -> tuple[Booking, datetime]:
    """Walk all of them. A booking of theirs, all of which are over, and the instant at which it ends."""
    places = Places(desk, working_hours.psychologist())
    for walk in WALKS:
        clock.move_to(now)
        walk(places, now)
        try_mails(now)
        now += APART
    clock.move_to(now)
    return Booking.objects.filter(email=sentinels.EMAIL, verified_at__isnull=False).latest("pk"), now


def try_mails(now: datetime) -> None:
    """Each that is owed is in back-off with its words, or a dead letter, and the server's answer quotes the address."""
    for message in Message.objects.filter(state=MessageState.WAITING, queue=Queue.MAIL, frozen_at=None):
        message.context = delivery.prepare(message, now=max(now, message.not_before))
        message.frozen_at = now
        message.last_error = f"550 no such user {message.recipient}"
        if message.pk % 2:
            message.state, message.settled_at = MessageState.DEAD, now
        message.save()


def do(name: str, booking: Booking, now: datetime) -> Booking:
    """One of `every_intent`. The booking as it is then."""
    EVERY_INTENT[name](scenarios.again(booking), now)
    return scenarios.again(booking)


# -- the walks ---------------------------------------------------------------------------------------------------------


def never_proves(_: Places, now: datetime) -> None:
    api.post(api.DRAFT, sentinels.form(now))
    do("lapse_draft, due", _last(), now)


def is_left_without_an_answer(places: Places, now: datetime) -> None:
    """Asks again, is declined with other times, and does not pay for the one that they take."""
    for period in ("MORNING", "EVENING"):
        draft = scenarios.submitted(sentinels.EMAIL, now=now, **sentinels.DRAFT, preferred_period=period)
    booking = visitor.verify_email(scenarios.token_of(draft), now=now)
    api.post(api.DRAFT, sentinels.form(now))
    front_desk.extend_deadline(booking.pk, State.PENDING, timedelta(hours=1), **STAFF, now=now)
    booking = do("close_unanswered, due", booking, now)
    try_mails(now)
    booking = visitor.request_again(scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN), now=now)
    offers = [alternatives.OfferedSlot(places.who.pk, now + 9 * DAY)]
    scenarios.staff.reject(booking.pk, note_to_visitor=sentinels.NOTE, offers=offers, **STAFF, now=now)
    mail = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
    booking = alternatives.take_alternative(links.tokens_of(mail.uuid)[links.alternative_token_name(1)], now=now)
    do("time_out_approval, due", booking, now)


def pays_late_and_moves(places: Places, now: datetime) -> None:
    """First another sum, which cannot be sent back, then too late; and the practice cannot hold the session."""
    booking, _ = scenarios.paying(sentinels.EMAIL, now=now, who=places.who, at=now + 7 * DAY, **sentinels.DRAFT)
    for step in ("record_report, captured wrongly", "record_refund, refused", "record_refund_made", "start_payment"):
        booking = do(step, booking, now)
    booking = do("record_report, declined", booking, now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    late = (booking.pay_by or now) + timedelta(minutes=11)
    attempts.end_idle_attempt(payment.pk, now=late)
    try_mails(late)
    for step in ("record_report, captured", "reschedule, to another psychologist"):
        booking = do(step, booking, late)
    booking = do("reschedule_by_visitor", booking, now)  # whose times are on the hour
    choices.offer_choice(booking.pk, **STAFF, now=late)
    try_mails(late)
    do("record_refund, done", do("lapse_choice, due", booking, late), late)


def pays_twice_and_has_a_series(places: Places, now: datetime) -> None:
    """And is given back a part, for which the bank takes long."""
    booking = confirmed(places, now)
    for step in ("request_cancellation", "lapse_cancellation, due", "complete_session, due", "record_outcome"):
        booking = do(step, booking, now)
    later = booking.slot_end or now
    rhythm = follow_ups.Rhythm(2, timedelta(days=7))
    first = follow_ups.book_series(booking.pk, follow_ups.Series(rhythm), **STAFF, now=later)[0].booking
    assert first is not None
    try_mails(later)
    moved = series.SeriesMove(later + 9 * DAY, despite_hours=True)
    series.move_series(first.pk, moved, **STAFF, now=later)
    try_mails(later)
    series.cancel_series(first.pk, series.SeriesCancellation(sentinels.NOTE), **STAFF, now=later)
    do("grant_refund, a part", booking, later)
    do("record_refund, pending for long", booking, later)
    do("record_refund, done", booking, later)


def cancels_late(places: Places, now: datetime) -> None:
    booking = confirmed(places, now)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    try_mails(now)
    do("confirm_cancellation", booking, now)


def calls_the_practice(places: Places, now: datetime) -> None:
    """A minor, with a guardian, and a decision that is taken back."""
    typed = admin_site.caller_form(
        **{name: text for name, text in sentinels.form(now).items() if isinstance(text, str)},
        region=sentinels.DRAFT["region"], age="15", preferred_time_start="", preferred_time_end="",
    )  # fmt: skip
    answer = places.desk.post(admin_site.new_booking_url(), typed, follow=True)
    booking = _last()
    assert booking.origin == "staff", answer.content[:2000]
    approval = scenarios.staff.Approval(
        places.who.pk,
        now + 2 * DAY,
        meeting_link=sentinels.MEETING_LINK,
        guardian_consent=GuardianConsent(sentinels.GUARDIAN, GuardianProof.SPOKEN),
    )
    scenarios.staff.approve(booking.pk, approval, **STAFF, now=now)
    for step in ("record_desk_payment", "void_desk_payment", "sponsor", "undo_decision, after cancel_by_staff"):
        booking = do(step, booking, now)
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor=sentinels.NOTE, refund=cancellation.RefundChoice.NONE,
        refund_reason=sentinels.REASON, **STAFF, now=now,
    )  # fmt: skip


def writes_to_us(places: Places, now: datetime) -> None:
    """By the contact form, and by asking for links, under another spelling, too."""
    text = f"{sentinels.ENQUIRY}, {sentinels.EMAIL}"
    api.post(api.SEND_EMAIL, {"subject": f"{sentinels.ENQUIRY} {sentinels.EMAIL}", "text": text})
    for address in (sentinels.EMAIL, OTHER_SPELLING):
        api.post(api.STATUS, {"email": address})


def is_worked_on_at_the_desk(places: Places, now: datetime) -> None:
    """Opened, searched, taken away, corrected, and for a while noted under another address."""
    desk, booking = places.desk, _last()
    client = Client.objects.get(email=sentinels.EMAIL)
    for page in (admin_site.page_url(booking), f"{admin_site.list_url(Booking)}?q=Zephyrine"):
        assert desk.get(page).status_code == 200, page
    assert b"Zephyrine" in desk.get(reverse("admin:bookings_booking_export")).content
    kept = {name: sentinels.DRAFT.get(name, "") for name in ("full_name", "phone_number", "region", "country")}
    for email in (ELSEWHERE, sentinels.EMAIL):
        typed = {
            **kept,
            "city": "Quixhaven West",
            "gender": "FEMALE",
            "email": email,
            "emergency_contact": "Oglethorpe",
        }
        answer = desk.post(admin_site.page_url(client), typed, follow=True)
        assert "was changed" in answer.content.decode(), answer.context["errors"]
        visitor.request_link(email, now=now)


def looks_at_their_data(_: Places, now: datetime) -> None:
    """Takes it away, corrects it, and withdraws the consent."""
    token = erasures.data_token(_last(), now=now)
    assert "Zephyrine" in link_pages.shown(link_pages.look("/go/data/", token))
    assert b"Zephyrine" in link_pages.browser().post("/go/data/", {"token": token}).content
    answers = {name: text for name, text in sentinels.DRAFT.items() if name not in ("user_message", "sponsor_code")}
    for page, said in (("correct", {**answers, "gender": "OTHER", "city": "Quixhaven East"}), ("withdraw", {})):
        link_pages.shown(link_pages.browser().post(f"/go/data/{page}/", {"token": token, **said}))


WALKS: tuple[Walk, ...] = (
    never_proves,
    is_left_without_an_answer,
    pays_late_and_moves,
    pays_twice_and_has_a_series,
    cancels_late,
    calls_the_practice,
    writes_to_us,
    is_worked_on_at_the_desk,
    looks_at_their_data,
)


def confirmed(places: Places, now: datetime) -> Booking:
    """Paid, for the next day."""
    return scenarios.confirmed(sentinels.EMAIL, now=now, who=places.who, at=now + DAY, **sentinels.DRAFT)


def _last() -> Booking:
    return Booking.objects.filter(email=sentinels.EMAIL).latest("pk")
