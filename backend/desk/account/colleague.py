"""A colleague as an owner finds them: the role, another invitation, the end of the access; and how one is invited."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from backend.accounts import second_factor, sessions, tokens
from backend.bookings import actors
from backend.bookings.refusals import staff_sentence
from backend.core.errors import Refused
from backend.desk.account.colleague_forms import AddressForm, InviteForm, ReasonForm, RoleForm
from backend.ops import colleagues


@never_cache
def invite(request: HttpRequest) -> HttpResponse:
    """POST makes the account and owes the mail."""
    form = InviteForm(request.POST or None)
    if form.is_valid():
        made = _invited(request, form)
        if made is not None:
            messages.success(request, f"A link for the account {made} is mailed to {made.email}; it works once.")
            return redirect("desk:colleague", made.pk)
    context = {**admin.site.each_context(request), "title": "Invite a colleague", "form": form}
    return TemplateResponse(request, "admin/account/invite.html", context, status=400 if form.errors else 200)


def _invited(request: HttpRequest, form: InviteForm) -> User | None:
    """None when another owner used the name a moment ago."""
    typed, by = form.cleaned_data, actors.for_account(request.user)
    try:
        return colleagues.invite(typed["username"], typed["email"], form.post(), actor=by, now=timezone.now())
    except IntegrityError:
        form.add_error("username", "There is an account of this name by now. Choose another.")
        return None


@never_cache
def colleague(request: HttpRequest, account_id: int) -> HttpResponse:
    """POST does what `do` says."""
    account = get_object_or_404(User, pk=account_id, is_staff=True, is_active=True)
    offered, asked = _forms(request, account), request.POST.get("do", "")
    if request.method == "POST":
        if asked not in offered:
            raise Http404
        if offered[asked].is_valid() and _is_done(request, account, asked, offered[asked]):
            return redirect("desk:colleagues" if asked == "end" else request.path)
    now, is_wrong = timezone.now(), any(form.errors for form in offered.values())
    context = {
        **admin.site.each_context(request),
        "title": str(account),
        "account": account,
        "post": colleagues.post_of(account),
        "forms": offered,
        "sessions": sessions.of(account, now=now).count(),
        "tokens": tokens.of(account, now=now).count(),
        "acts": [(act, actors.describe(act.actor)) for act in colleagues.acts_about(account)],
    }
    return TemplateResponse(request, "admin/account/colleague.html", context, status=400 if is_wrong else 200)


def _forms(request: HttpRequest, account: User) -> dict[str, forms.Form]:
    """What is offered, by name; the one that was sent has what was typed. Who is set up needs no other invitation."""
    post = colleagues.post_of(account)
    typed = {name: request.POST if request.POST.get("do") == name else None for name in DONE}
    offered: dict[str, forms.Form] = {
        "role": RoleForm(
            typed["role"], account=account, initial={"role": post.role, "psychologist": post.psychologist}
        ),
        "end": ReasonForm(typed["end"]),
    }
    if not second_factor.is_set_up(account):
        offered["invite"] = AddressForm(typed["invite"], initial={"email": account.email})
    return offered


def _is_done(request: HttpRequest, account: User, asked: str, form: forms.Form) -> bool:
    try:
        messages.success(request, DONE[asked](request, account, form))
    except User.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        form.add_error(None, staff_sentence(refused))
        return False
    return True


def _role(request: HttpRequest, account: User, form: forms.Form) -> str:
    assert isinstance(form, RoleForm)
    colleagues.change_role(account, form.post(), actor=actors.for_account(request.user), now=timezone.now())
    return f"The account {account} is now: {form.post()}. Its tokens for programs have ended."


def _invite(request: HttpRequest, account: User, form: forms.Form) -> str:
    address, by = form.cleaned_data["email"], actors.for_account(request.user)
    colleagues.invite_again(account, address, actor=by, now=timezone.now())
    return f"Another link is mailed to {address}. The one before opens nothing any more."


def _end(request: HttpRequest, account: User, form: forms.Form) -> str:
    reason, by = form.cleaned_data["reason"], actors.for_account(request.user)
    colleagues.end_access(account, reason=reason, actor=by, now=timezone.now())
    return f"The account {account} is out: sessions, tokens, password and second factor have ended."


DONE: dict[str, Callable[[HttpRequest, User, forms.Form], str]] = {"role": _role, "invite": _invite, "end": _end}
