"""The page that tells who read of a person, whichever page leads to it."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from backend.accounts.roles import Ability, has_any_permission
from backend.audit.readings import DAYS, Reading
from backend.bookings.access import AccessPolicy
from backend.core.disclosures import ROW
from backend.core.formatting import short_day_and_time
from backend.desk.page import render


def may_see(access: AccessPolicy) -> bool:
    """Whether the button is shown, and the page exists."""
    return has_any_permission(access.user, Ability.SEE_ACCESS_LOG)


def page(request: HttpRequest, row: Model, found: list[Reading]) -> HttpResponse:
    """Newest first, with the words of what was shown: a list shows less than the page."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return render(
        request,
        "admin/desk/readings.html",
        title=f"Who read of {row}",
        model=type(row),
        row=row,
        back=reverse(name, args=[row.pk]),
        days=DAYS,
        readings=[(short_day_and_time(one.at), one, _words(one), _place(one.page)) for one in found],
    )


def _words(reading: Reading) -> str:
    """`message, telephone number`."""
    return ", ".join(_WORDS.get(name, name.replace("_", " ")) for name in reading.what)


def _place(page: str) -> str:
    """`bookings booking cancel` of a page of the admin; the API's paths as they are."""
    return page.removeprefix("admin:").replace("_", " ") if page.startswith("admin:") else page


_WORDS = {ROW: "name and address in a list", "user_message": "message", "phone_number": "telephone number"}
