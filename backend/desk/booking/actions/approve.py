"""Approve: a request gets its psychologist, slot and amount."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.access import Scope
from backend.bookings.lifecycle.approval import approve
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action, Decision, leads_on
from backend.desk.booking.actions.session_form import SessionForm
from backend.desk.forms import to_paise
from backend.desk.guardian import GuardianFields
from backend.desk.session_fields import suggested
from backend.people.models import Psychologist
from backend.scheduling.free_slots import FreeSlot
from backend.scheduling.suggestions import suggestions


class ApprovalForm(SessionForm, GuardianFields):
    """What staff decide about one request. Only the fields that matter to this booking are shown."""

    asks = "Choose a psychologist and a time to see what follows."
    amount = forms.DecimalField(
        required=False,
        max_digits=10,
        decimal_places=2,
        label="Amount in rupees",
        help_text="Empty: the psychologist's fee. 0: nothing to pay.",
    )
    despite_cancellation_request = forms.BooleanField(
        required=False, label="Approve although the visitor asked to cancel"
    )
    pay_if_not_sponsored = forms.BooleanField(
        required=False, label="If the sponsor does not cover this session, ask the visitor to pay"
    )

    def fit(self) -> None:
        super().fit()
        booking = self.booking
        found = suggestions(booking, now=timezone.now())
        self.offer_slots(suggested(found), "what the visitor asked for")
        self._fill_in(next((one.slot for one in found if one.fits), None))
        self.offer(psychologist="Choose", place="The psychologist's own", length=policy.SESSION_LENGTH)
        if Psychologist.objects.filter(session_minutes__isnull=False).exists():  # then no length is everybody's
            self.initial.pop("length", None)
            self.fields["length"].help_text = "Empty: the psychologist's usual length."
        if not booking.is_minor:
            self.leave_out_guardian()
        if booking.cancellation_requested_at is None:
            del self.fields["despite_cancellation_request"]
        if not booking.is_sponsored:
            del self.fields["pay_if_not_sponsored"]

    def _fill_in(self, best: FreeSlot | None) -> None:
        """The time that the visitor named, else the first that is all they asked for: typed, so it can be changed."""
        booking = self.booking
        if booking.preferred_slot_start is None and best is not None:
            self.initial.update(slot_start=best.start, psychologist=best.psychologist_id)
            return
        when = [booking.preferred_date, booking.preferred_time_start]
        self.initial["slot_start"] = booking.preferred_slot_start or when
        self.initial["psychologist"] = booking.preferred_psychologist_id

    def approval(self) -> Approval:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        return Approval(
            **self.session(),
            amount_paise=to_paise(typed.get("amount")),
            guardian_consent=self.guardian(),
            despite_cancellation_request=typed.get("despite_cancellation_request", False),
            pay_if_not_sponsored=typed.get("pay_if_not_sponsored", False),
            is_undoable=True,
        )


class Approve(Action[ApprovalForm]):
    name = "approve"
    label = "Approve"
    submit = "Approve and tell the visitor"
    tone = "success"
    form = ApprovalForm
    scope = Scope.UNASSIGNED

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return leads_on(booking, Booking.approve)

    def run(self, decision: Decision[ApprovalForm]) -> None:
        approve(decision.booking.pk, decision.form.approval(), actor=decision.actor, now=decision.now)
