"""Where a one-time link leads: password, second factor, and the recovery codes, shown once."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache

from backend.accounts import enrolment, passkeys, second_factor, sessions, verification
from backend.accounts.verification import Factor
from backend.desk.account.proof import EnrolForm, NewPasswordForm, proof_page

LINK = "enrolment_link"  # in the session: the digest of the token that this browser came with


@never_cache
@transaction.atomic
def enrol(request: HttpRequest) -> HttpResponse:
    """The token leaves the address at once: no history and no other page hears of it. Looking uses nothing up."""
    now = timezone.now()
    digest = enrolment.digest(request.GET["token"]) if "token" in request.GET else request.session.get(LINK, "")
    account = enrolment.account_of(digest, now=now)
    if account is not None and "token" in request.GET:
        request.session[LINK] = digest
        return redirect("desk:enrol")
    if account is None:  # whoever guesses is given no session
        return TemplateResponse(request, "admin/account/link_gone.html", {"title": "This link is used up"}, status=410)
    form = (EnrolForm if account.has_usable_password() else NewPasswordForm)(request, account, now=now)
    if form.is_valid() and form.factor is not None:
        return _enrolled(request, account, form, form.factor)
    return _page(request, account, form)


def _page(request: HttpRequest, account: User, form: EnrolForm) -> HttpResponse:
    app = second_factor.begin_app(account)
    context = {
        "title": "Set up your account",
        "account": account,
        "is_new": not account.has_usable_password(),
        "secret": app.shared_secret(),
        "picture": qr(second_factor.uri(app)),
        "passkey": passkeys.ask_to_register(request, account) if passkeys.are_offered() else None,
    }
    return proof_page(request, "admin/account/enrol.html", form, **context)


def _enrolled(request: HttpRequest, account: User, form: EnrolForm, factor: Factor) -> HttpResponse:
    """Logs in. Whoever was logged in as this account is out."""
    enrolment.spend(request.session.pop(LINK))
    if isinstance(form, NewPasswordForm):
        account.set_password(form.cleaned_data["password"])
        account.save(update_fields=["password"])
    sessions.end_all(account)
    codes = second_factor.new_recovery_codes(account)
    login(request, account, backend="django.contrib.auth.backends.ModelBackend")
    verification.verify(request.session, factor, is_password_new=True, now=timezone.now())
    return show_codes(request, codes)


def show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The answer itself has them: nothing keeps them for another page."""
    context = {"title": "Your recovery codes", "codes": codes}
    return TemplateResponse(request, "admin/account/recovery_codes.html", context)


def qr(text: str) -> SafeString:
    """The picture as part of the page, drawn without style or script."""
    import segno  # who enrols draws it, nobody else

    picture = segno.make(text, error="m").svg_inline(scale=4, border=4, light="#fff", omitsize=True)
    return mark_safe(picture)  # noqa: S308  # segno draws it; the text is not in it
