"""The page on which staff book the next sessions: first what would fit, then those that do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle.follow_ups import (
    SERIES_MOST,
    TREATED,
    Rhythm,
    Series,
    SeriesResult,
    book_series,
    preview_series,
)
from backend.bookings.models import Booking
from backend.bookings.refusals import ANSWERS, last_step, staff_sentence
from backend.core.errors import Refused
from backend.core.formatting import money, short_day_and_time, zone_name
from backend.desk.booking.actions.action import ActionForm
from backend.desk.booking.summary import summary
from backend.desk.consequences import told
from backend.desk.forms import refuse, to_paise
from backend.desk.guardian import GuardianFields
from backend.desk.navigation import booking_to_decide, to_booking
from backend.desk.page import Page, render
from backend.desk.result import describe_result
from backend.desk.session_fields import MINUTES_MOST, PsychologistChoice, SlotStartField, somebody_has_hours
from backend.people.models import Psychologist

WEEK = 7  # days


class FollowUpForm(ActionForm, GuardianFields):
    field_order = ("slot_start", "count", "interval_days", "psychologist", "length", "amount")
    slot_start = SlotStartField()
    count = forms.IntegerField(min_value=1, max_value=SERIES_MOST, initial=1, label="Number of sessions")
    interval_days = forms.IntegerField(min_value=1, max_value=366, initial=WEEK, label="Days from one to the next")
    psychologist = PsychologistChoice(Psychologist.objects.filter(is_active=True), required=False)
    length = forms.IntegerField(required=False, min_value=1, max_value=MINUTES_MOST, label="Length in minutes")
    amount = forms.DecimalField(required=False, max_digits=10, decimal_places=2, label="Amount in rupees, of each")
    pay_if_not_sponsored = forms.BooleanField(
        required=False, label="Where the sponsor does not cover a session, ask the visitor to pay"
    )

    despite_hours = forms.BooleanField(
        required=False, label="Book sessions although they are outside the psychologist's hours"
    )

    def fit(self) -> None:
        if not somebody_has_hours():
            del self.fields["despite_hours"]
        booking = self.booking
        last_session = held_session(booking)
        rhythm = Rhythm(1, timedelta(days=WEEK))
        (self.initial["slot_start"],) = rhythm.starts(last_session.start, now=timezone.now())
        self.fields["slot_start"].label = f"The first starts ({zone_name()})"
        self.fields["length"].help_text = f"Empty: as before, {last_session.length.seconds // 60}."
        last = money(booking.amount_paise)
        self.fields["amount"].help_text = f"Empty: the psychologist's fee. The last session: {last}."
        psychologist = self.fields["psychologist"]
        assert isinstance(psychologist, forms.ModelChoiceField)
        psychologist.empty_label = f"As before: {booking.psychologist}"
        if not booking.lacks_consent:
            self.leave_out_guardian()
        if not booking.is_sponsored:
            del self.fields["pay_if_not_sponsored"]

    def series(self) -> Series:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        return Series(
            Rhythm(typed["count"], timedelta(days=typed["interval_days"]), typed["slot_start"]),
            psychologist_id=typed["psychologist"].pk if typed["psychologist"] else None,
            slot_length=timedelta(minutes=typed["length"]) if typed["length"] else None,
            amount_paise=to_paise(typed.get("amount")),
            guardian_consent=self.guardian(),
            pay_if_not_sponsored=typed.get("pay_if_not_sponsored", False),
            despite_hours=typed.get("despite_hours", False),
        )


def may_follow_up(access: AccessPolicy, booking: Booking) -> bool:
    """Whether the booking's page shows the button."""
    return access.may_act(booking, Scope.OWN) and booking.state in TREATED


def follow_up(request: HttpRequest, booking_id: int) -> HttpResponse:
    """The form, what would fit, and what was booked.

    Nothing is booked that was not tried before with the very same words: `tried` is what was typed then.
    """
    access = AccessPolicy(request.user)
    booking = booking_to_decide(access, booking_id, Scope.OWN)
    if booking.state not in TREATED:
        messages.warning(request, f"“Book the next sessions” is not possible now. {last_step(booking)}")
        return to_booking(booking_id)
    form = FollowUpForm(booking, request.POST if request.method == "POST" else None)
    if not access.sets_prices:
        form.keep_to_fees()
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, [], 400 if form.is_bound else 200)
    series, actor, now = form.series(), actors.for_account(request.user), timezone.now()
    is_sure = request.POST.get("tried") == repr(asdict(series))
    try:
        places = (book_series if is_sure else preview_series)(booking.pk, series, actor=actor, now=now)
    except Refused as refused:
        return _page(request, form, [], refuse(form, refused, booking))
    if not is_sure:
        return _page(request, form, places, 200, tried=repr(asdict(series)))
    refusals = [place.refused for place in places if place.refused is not None]
    if len(refusals) == len(places):
        return _page(request, form, places, ANSWERS[refusals[0].code].status)
    _tell(request, places)
    return to_booking(booking_id)


def _tell(request: HttpRequest, places: list[SeriesResult]) -> None:
    for place in places:
        if place.booking is not None:
            messages.success(request, describe_result(place.booking))
        elif place.refused is not None:
            messages.warning(
                request, f"{short_day_and_time(place.slot_start)}: not booked. {staff_sentence(place.refused)}"
            )


def _page(
    request: HttpRequest, form: FollowUpForm, places: list[SeriesResult], status: int, *, tried: str = ""
) -> HttpResponse:
    return render(
        request,
        "admin/bookings/booking/follow_up.html",
        title=f"Book the next sessions: {form.booking}",
        model=Booking,
        status=status,
        booking=form.booking,
        form=form,
        rows=[_row(place) for place in places],
        fitting=sum(place.booking is not None for place in places),
        tried=tried,
        about=summary(form.booking, AccessPolicy(request.user), now=timezone.now()),
    )


def _row(place: SeriesResult) -> dict[str, object]:
    follows = told(place.change) if place.change else None
    refused = staff_sentence(place.refused) if place.refused else ""
    return {"when": short_day_and_time(place.slot_start), "consequences": follows, "refused": refused}


PAGE = Page(
    "<int:booking_id>/follow-up/",
    "bookings_booking_follow_up",
    lambda access: access.may_act_on_some(Scope.OWN),
    follow_up,
)
