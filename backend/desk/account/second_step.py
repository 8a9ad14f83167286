"""The second step of the log-in, and the same again with the password for what is worth more than a session."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backend.accounts import passkeys, second_factor, verification
from backend.bookings import actors
from backend.desk.account.proof import ConfirmForm, ProofForm, next_of, proof_page

log = logging.getLogger(__name__)


@never_cache
def second_step(request: HttpRequest) -> HttpResponse:
    """For whoever gave the right password; it opens the rest of the admin."""
    if not request.user.is_authenticated:
        return redirect("admin:login")
    if verification.is_verified(request.session):
        return redirect(next_of(request))
    return _asked(request, ProofForm, "Second step")


@never_cache
def confirm(request: HttpRequest) -> HttpResponse:
    """Password and factor again, and on."""
    return _asked(request, ConfirmForm, "Is it still you?")


def _asked(request: HttpRequest, kind: type[ProofForm], title: str) -> HttpResponse:
    account, now = request.user, timezone.now()
    form = kind(request, account, now=now)  # type: ignore[arg-type]  # the door let nobody else in
    if form.is_valid() and form.factor is not None:
        if form.asks_password:
            verification.password_proved.send(sender=kind, request=request)
        verification.verify(request.session, form.factor, is_password_new=form.asks_password, now=now)
        return redirect(next_of(request))
    if form.errors:
        log.warning("refused the second factor of %s", actors.for_account(account))
    has_passkey = passkeys.are_offered() and second_factor.has_passkey(account)  # type: ignore[arg-type]
    context = {
        "title": title,
        "next": next_of(request),
        "is_set_up": second_factor.is_set_up(account),  # type: ignore[arg-type]
        "passkey": passkeys.ask_to_show(request, account) if has_passkey else None,  # type: ignore[arg-type]
        "asks_password": form.asks_password,
    }
    return proof_page(request, "admin/account/second_step.html", form, **context)
