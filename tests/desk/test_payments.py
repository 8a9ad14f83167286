"""Staff cancel with and without a refund, take money at the desk, name a sponsor and give money back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser

from backend.bookings import policy, queries
from backend.bookings.lifecycle import desk_money as at_the_desk
from backend.bookings.lifecycle import refunds
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, Refund, RefundState
from backend.people.models import Corporate, Location
from tests.support import scenarios
from tests.support.admin_site import action_url, buttons, form_of, page_url, session_form, written

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock", "sandbox_payments")]


def post(desk: Browser, booking: Booking, name: str, **typed: str) -> str:
    """The page after an action that succeeded."""
    answer = desk.post(action_url(booking, name), form_of(booking, **typed), follow=True)
    assert answer.redirect_chain == [(page_url(booking), 302)], answer.context["form"].errors
    return answer.content.decode()


def refused(desk: Browser, booking: Booking, name: str, status: int, **typed: str) -> dict[str, str]:
    """The first sentence beside each field, of an action that wrote nothing."""
    before = written()
    answer = desk.post(action_url(booking, name), form_of(booking, **typed))
    assert answer.status_code == status
    assert written() == before
    form = answer.context["form"]
    assert {name: form.data[name] for name in typed} == typed
    return {field: str(errors[0]) for field, errors in form.errors.items()}


def in_person(now: datetime) -> Booking:
    """A CONFIRMED booking that is paid at the practice."""
    rooms = Location.objects.create(name="Rooms", address="1 Road, Pune")
    return scenarios.approved(
        now=now, who=scenarios.psychologist(location=rooms), mode="OFFLINE", payment_mode="OFFLINE"
    )


# -- cancelling --------------------------------------------------------------------------------------------------------


def test_a_paid_booking_is_cancelled_with_all_its_money_unless_staff_say_why_not(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    page = desk.get(action_url(booking, "cancel")).content.decode()
    assert "All that was paid: ₹1,500.00" in page
    keep = form_of(booking, called_off_by="practice", refund="none", refund_reason="late", preview="1")
    assert "₹1,500.00 stays with the practice." in desk.post(action_url(booking, "cancel"), keep).content.decode()
    errors = refused(
        desk, booking, "cancel", 400, called_off_by="practice", refund="none", note_to_visitor="We are ill."
    )
    assert errors == {"refund_reason": "To keep the money, say why."}
    done = post(desk, booking, "cancel", called_off_by="practice", refund="full", note_to_visitor="We are ill.")
    assert "₹1,500.00 goes back through the gateway." in done
    assert "We are ill." in done
    assert scenarios.again(booking).state == State.CANCELLED
    assert queries.payment_status_value(booking) == "refund_under_way"
    assert "refund under way" in desk.get(page_url(booking)).content.decode()


def test_a_visitor_who_rings_cancels_by_their_own_rules(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    assert "called_off_by" in refused(desk, booking, "cancel", 400, refund="rules", note_to_visitor="")
    page = desk.get(action_url(booking, "cancel")).content.decode()
    assert "By the rules: ₹1,500.00 if we call it off, nothing if the visitor does" in page
    done = post(desk, booking, "cancel", called_off_by="visitor", refund="rules", note_to_visitor="Get well soon.")
    assert "Get well soon." in done
    assert (scenarios.again(booking).reason, Refund.objects.count()) == ("by_visitor", 0)


def test_a_part_of_the_money_goes_back_with_the_cancellation(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    typed = {"called_off_by": "practice", "refund": "part", "note_to_visitor": ""}
    assert "amount" in refused(desk, booking, "cancel", 409, **typed)
    assert "refund_reason" in refused(desk, booking, "cancel", 400, amount="500", **typed)
    post(desk, booking, "cancel", amount="500", refund_reason="Agreed.", **typed)
    assert Refund.objects.get().amount_paise == 50_000


def test_nothing_comes_back_when_staff_give_a_reason(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    post(
        desk,
        booking,
        "cancel",
        called_off_by="practice",
        refund="none",
        refund_reason="Agreed by phone.",
        note_to_visitor="",
    )
    assert scenarios.again(booking).state == State.CANCELLED
    assert not Refund.objects.exists()


def test_without_money_nothing_is_asked_about_it(desk: Browser, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    answer = desk.get(action_url(booking, "cancel"))
    assert list(answer.context["form"].fields) == ["called_off_by", "note_to_visitor"]


# -- money at the desk -------------------------------------------------------------------------------------------------


def test_money_at_the_desk_confirms_the_session(desk: Browser, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    assert "You record that ₹1,500.00 was handed to you." in (
        desk.get(action_url(booking, "record-payment")).content.decode()
    )
    assert "is Confirmed" in post(desk, booking, "record-payment")
    assert queries.payment_status_value(scenarios.again(booking)) == "paid"


def test_what_is_due_at_the_practice_is_recorded_once_and_its_receipt_is_mailed(desk: Browser, now: datetime) -> None:
    booking = in_person(now)
    assert "record-payment" in buttons(desk, booking)
    assert "payment received at the practice" in post(desk, booking, "record-payment")
    assert scenarios.again(booking).state == State.CONFIRMED
    assert "record-payment" not in buttons(desk, booking)
    sentence = refused(desk, booking, "record-payment", 409)["__all__"]
    assert sentence.startswith(
        "This booking is paid already. It is now Confirmed: staff took the money at the practice (desk, "
    )


def test_a_sponsor_is_chosen_among_the_active_ones(desk: Browser, now: datetime) -> None:
    here, gone = Corporate.objects.create(name="Here"), Corporate.objects.create(name="Gone", is_active=False)
    booking = scenarios.pending(now=now)
    assert list(desk.get(action_url(booking, "sponsor")).context["form"].fields["corporate"].queryset) == [here]
    assert refused(desk, booking, "sponsor", 400, corporate=str(gone.pk)) == {
        "corporate": "Choose a corporate that is active."
    }
    assert "is Pending" in post(desk, booking, "sponsor", corporate=str(here.pk))
    approval = desk.get(action_url(booking, "approve")).content.decode()
    assert "Online, unless the sponsor covers it" in approval
    assert "Here<br>November 2026: no limit" in approval
    decided = session_form(booking, scenarios.psychologist(), preview="1")
    foretold = desk.post(action_url(booking, "approve"), decided).content.decode()
    assert "Here pays: one session is taken from what it has left for November 2026." in foretold


# -- giving money back -------------------------------------------------------------------------------------------------


def test_a_part_is_given_back_and_never_more_than_is_left(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert "₹500.50 goes back through the gateway." in post(desk, booking, "refund", amount="500.50")
    assert Refund.objects.get().amount_paise == 50_050
    assert "At most ₹999.50." in desk.get(action_url(booking, "refund")).content.decode()
    sentence = "This is nothing, or more than what is left of the payment."
    for amount in ("999.51", "0", "-1"):
        assert refused(desk, booking, "refund", 409, amount=amount) == {"amount": sentence}
    assert "amount" in refused(desk, booking, "refund", 400, amount="1.005")
    post(desk, booking, "refund", amount="")
    assert sorted(Refund.objects.values_list("amount_paise", flat=True)) == [50_050, 99_950]
    assert refused(desk, booking, "refund", 409, amount="") == {"amount": sentence}


def test_the_buttons_follow_the_money(desk: Browser, now: datetime) -> None:
    booking = at_the_desk.record_desk_payment(scenarios.approved(now=now).pk, actor="staff:desk", now=now)
    assert buttons(desk, booking) == {"reschedule", "offer-choice", "cancel", "refund", "void-payment"}
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    assert buttons(desk, booking) == {"reschedule", "offer-choice", "cancel", "refund", "refund-made"}
    refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    assert buttons(desk, booking) == {"reschedule", "offer-choice", "cancel", "refund-made"}


def test_a_refund_at_the_desk_is_marked_as_made(desk: Browser, now: datetime) -> None:
    booking = at_the_desk.record_desk_payment(scenarios.approved(now=now).pk, actor="staff:desk", now=now)
    assert "is to be handed out at the desk: mark the refund as made then" in post(desk, booking, "refund", amount="20")
    refund = Refund.objects.get()
    page = desk.get(action_url(booking, "refund-made")).content.decode()
    assert f"₹20.00, to be handed out ({refund.reference})" in page
    done = post(desk, booking, "refund-made", refund=str(refund.pk))
    assert "refund made to asha@example.org (now)" in done
    assert "Done</span>" in done
    assert Refund.objects.get().state == RefundState.DONE
    assert "refund-made" not in buttons(desk, booking)


def test_a_refund_on_its_way_through_the_gateway_cannot_be_marked_as_made(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    assert "refund-made" not in buttons(desk, booking)
    errors = refused(desk, booking, "refund-made", 400, refund=str(refund.pk))
    assert errors == {"refund": "This refund is settled already, or on its way through the gateway."}


def test_a_refund_that_the_gateway_refused_is_settled_by_hand_unless_its_money_was_given_anew(
    desk: Browser, now: datetime
) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, 100_000, actor="staff:desk", now=now)
    words = "The payment is too old\0" + "." * 200
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise, words), now=now
    )
    assert "refund-made" in buttons(desk, booking)
    page = desk.get(action_url(booking, "refund-made")).content.decode()
    assert "refused by the gateway: The payment is too old." in page
    refunds.grant_refund(booking.pk, 100_000, actor="staff:desk", now=now)
    assert "refund-made" not in buttons(desk, booking)
    Refund.objects.exclude(pk=refund.pk).delete()
    post(desk, booking, "refund-made", refund=str(refund.pk))
    assert queries.payment_status_value(scenarios.again(booking)) == "part_refunded"
    assert LedgerEntry.objects.filter(booking=booking, intent="refund_made").get().actor == "staff:desk"


def test_a_refund_that_the_gateway_does_not_finish_can_be_marked_as_made(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    pending = RefundReport(refund.reference, "rfnd_7", RefundOrderState.PENDING, refund.amount_paise)
    refunds.record_refund(refund.pk, pending, now=now + policy.REFUND_ASKED_FOR)
    page = desk.get(action_url(booking, "refund-made")).content.decode()
    assert f"₹1,500.00, not finished by the gateway: ask there first ({refund.reference})" in page
    post(desk, booking, "refund-made", refund=str(refund.pk))
    assert Refund.objects.get().state == RefundState.DONE


def test_the_page_shows_every_refund(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, 12_345, actor="staff:meera", now=now)
    Refund.objects.update(gateway_refund_id="rfnd_7", settled_at=now, state="done")
    page = desk.get(page_url(booking)).content.decode()
    for shown in (refund.reference, "₹123.45", "granted by staff", "meera", "rfnd_7", page_url(refund)):
        assert shown in page
    assert page_url(Payment.objects.get()) in page
