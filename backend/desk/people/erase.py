"""A client who told us that they want to be erased, and not the page *Your data*: begun and stopped by an owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from backend.accounts.roles import Ability, has_any_permission
from backend.bookings import actors, policy
from backend.bookings.access import AccessPolicy
from backend.bookings.kept_after_erasure import kept
from backend.bookings.lifecycle import erasure_requests
from backend.bookings.models import RequestState
from backend.core import formatting
from backend.core.errors import Refused
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page, render
from backend.people.models import Client

CHANGE = "admin:people_client_change"


def may_open(access: AccessPolicy) -> bool:
    """Whether the button is shown, and the page exists."""
    return has_any_permission(access.user, Ability.ERASE_CLIENTS)


@requires_fresh
def erase(request: HttpRequest, client_id: int) -> HttpResponseBase:
    """What will happen and what stays; the button begins it, or stops what was begun."""
    client = get_object_or_404(Client, pk=client_id)
    if request.method == "POST":
        _act(request, client)
        return redirect(CHANGE, client.pk)
    return render(
        request,
        "admin/people/client/erase.html",
        title=f"Erase {client}",
        model=Client,
        client=client,
        waiting=client.data_requests.filter(state=RequestState.WAITING).first(),
        erasure_after=formatting.span(policy.ERASURE_AFTER),
        kept=kept(),
    )


def _act(request: HttpRequest, client: Client) -> None:
    now = timezone.now()
    if "stop" in request.POST:
        erasure_requests.stop_recorded(client.pk, now=now)
        messages.success(request, "Stopped. Everything stays.")
        return
    assert request.user.is_authenticated
    try:
        asked = erasure_requests.record_erasure(client.pk, actor=actors.for_account(request.user), now=now)
    except Refused:
        messages.error(request, "Nothing was done: there is no booking. Delete the client instead.")
        return
    messages.success(
        request, f"They are erased on {formatting.short_day_and_time(asked.due_at)}, unless it is stopped."
    )


PAGE = Page("<int:client_id>/erase/", "people_client_erase", may_open, erase)
