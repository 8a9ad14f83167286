"""What the desk asks of a minor: whether the guardian consented, who that is, and how staff know it."""

from __future__ import annotations

from django import forms

from backend.bookings.lifecycle.session_terms import GuardianConsent
from backend.bookings.models import Booking, GuardianProof

NAMES = ("guardian_consent", "guardian_name", "guardian_proof")
NAME_LONGEST: int = Booking._meta.get_field("guardian_name").max_length or 0


class GuardianFields(forms.Form):
    """Whether they are needed, and whether they are enough, is the lifecycle's to say."""

    guardian_consent = forms.BooleanField(required=False, label="The guardian's consent was given to me")
    guardian_name = forms.CharField(
        required=False, max_length=NAME_LONGEST, label="Guardian", help_text="Name and relation: Meera Rao, mother."
    )
    guardian_proof = forms.ChoiceField(
        required=False, choices=[("", "Choose"), *GuardianProof.choices], label="How you know that it is the guardian"
    )

    def leave_out_guardian(self) -> None:
        """Of a grown-up, or where it is recorded already."""
        for name in NAMES:
            del self.fields[name]

    def guardian(self) -> GuardianConsent | None:
        """What was typed; None unless all of it was. Call after `is_valid()`."""
        given, name, proof = (self.cleaned_data.get(field) for field in NAMES)
        return GuardianConsent(name, GuardianProof(proof)) if given and name and proof else None
