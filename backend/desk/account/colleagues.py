"""The accounts of the practice with role and second step; an owner takes the second step from who has lost it."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_otp_webauthn.models import WebAuthnCredential

from backend.accounts import enrolment
from backend.accounts.assignments import role_of
from backend.accounts.models import Authenticator
from backend.accounts.roles import is_owner
from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.desk.account.colleague import colleague, invite
from backend.desk.account.colleague_forms import ReasonForm
from backend.desk.page import Page
from backend.ops.factor_resets import reset_factor


def _is_owner(access: AccessPolicy) -> bool:
    return is_owner(access.user)


def colleagues(request: HttpRequest) -> HttpResponse:
    """All who can log in here."""
    rows = User.objects.filter(is_staff=True, is_active=True).select_related("psychologist").order_by("username")
    rows = rows.prefetch_related("groups").annotate(
        has_app=Exists(Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)),
        has_passkey=Exists(WebAuthnCredential.objects.filter(user=OuterRef("pk"))),
        codes_left=Count("recovery_codes", filter=Q(recovery_codes__used_at=None)),
    )
    context = {**admin.site.each_context(request), "title": "Colleagues", "rows": [(one, role_of(one)) for one in rows]}
    return TemplateResponse(request, "admin/account/colleagues.html", context)


@never_cache
def reset(request: HttpRequest, account_id: int) -> HttpResponse:
    """POST does it and shows the link. One's own is not reset here: another owner does, or `manage.py first_owner`."""
    account = get_object_or_404(User, pk=account_id, is_staff=True, is_active=True)
    if account == request.user:
        raise Http404
    form, link = ReasonForm(request.POST or None), ""
    if form.is_valid():
        by, reason = actors.for_account(request.user), form.cleaned_data["reason"]
        link = enrolment.address(reset_factor(account, actor=by, reason=reason, now=timezone.now()))
    context = {
        **admin.site.each_context(request),
        "title": f"Second factor of {account}",
        "account": account,
        "form": form,
        "link": link,
    }
    return TemplateResponse(request, "admin/account/reset.html", context, status=400 if form.errors else 200)


PAGES = (
    Page("account/colleagues/", "colleagues", _is_owner, colleagues),
    Page("account/colleagues/invite/", "invite", _is_owner, invite),
    Page("account/colleagues/<int:account_id>/", "colleague", _is_owner, colleague),
    Page("account/colleagues/<int:account_id>/reset/", "reset_factor", _is_owner, reset),
)
