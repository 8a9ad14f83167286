"""What an owner fills in about a colleague: the role with the person, the address, and why an access ends."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import Q
from django.forms.widgets import Input

from backend.accounts.roles import MEANS, OF_A_PERSON, OWNER
from backend.ops.colleagues import Post
from backend.people.models import Psychologist

LONGEST_NAME = 60  # with what stands before it, it fits where records name who did it


def _text(kind: type[Input] = forms.TextInput, **attributes: str) -> Input:
    return kind({"class": "form-control", **attributes})


class RoleForm(forms.Form):
    """One role; for a psychologist's the person."""

    role = forms.ChoiceField(
        choices=[(role, f"{role}: {means}") for role, means in MEANS.items()],
        widget=forms.RadioSelect({"class": "form-check-input"}),
    )
    psychologist = forms.ModelChoiceField(
        Psychologist.objects.none(),
        required=False,
        empty_label="nobody",
        label="Whose account it is",
        help_text="For a psychologist: they see this person's bookings.",
        widget=forms.Select({"class": "form-select"}),
    )

    def __init__(self, *arguments: Any, account: User | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        free = Q(user=None, is_active=True) if account is None else Q(user=None, is_active=True) | Q(user=account)
        field = self.fields["psychologist"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Psychologist.objects.filter(free).order_by("full_name")

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        role, person = typed.get("role"), typed.get("psychologist")
        if role in OF_A_PERSON and person is None and "psychologist" in typed:
            self.add_error("psychologist", "Choose whose bookings they see. A new psychologist is added first.")
        if role and person is not None and role not in (*OF_A_PERSON, OWNER):
            self.add_error("psychologist", f"This role ({role.lower()}) is nobody's own: choose nobody.")
        return typed

    def post(self) -> Post:
        """What was chosen."""
        return Post(self.cleaned_data["role"], self.cleaned_data["psychologist"])


class InviteForm(RoleForm):
    """And who it is."""

    username = forms.CharField(
        max_length=LONGEST_NAME,
        label="Account name",
        help_text="They log in with it, and records name them by it. It cannot be changed or used again.",
        validators=[UnicodeUsernameValidator()],
        widget=_text(autocomplete="off", autocapitalize="none", spellcheck="false"),
    )
    email = forms.EmailField(
        label="Mail address", help_text="Where the invitation goes.", widget=_text(forms.EmailInput, autocomplete="off")
    )
    field_order = ("username", "email", "role", "psychologist")

    def clean_username(self) -> str:
        """Names that differ in capitals alone would be taken for each other."""
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError("There is, or was, an account of this name. Choose another.")
        return name


class AddressForm(forms.Form):
    """Where another invitation goes."""

    email = forms.EmailField(label="Mail address", widget=_text(forms.EmailInput, autocomplete="off"))


class ReasonForm(forms.Form):
    """Why, for the record."""

    reason = forms.CharField(max_length=300, label="Why", help_text="Kept with your name.", widget=_text())
