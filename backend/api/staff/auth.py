"""Who may use the staff API: log-in, hashed tokens that can be revoked, and what roles show."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS, knox_settings
from rest_framework.exceptions import AuthenticationFailed, NotFound, ValidationError
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts import scopes, second_factor, tokens
from backend.accounts.models import TokenGrant
from backend.accounts.scopes import Area
from backend.api import responses
from backend.api.public.requests import parse_request
from backend.api.repeats import Door
from backend.api.schema import MessageAnswer, Operation, described
from backend.api.staff.docs import LoginAnswer
from backend.api.staff.requests import LoginRequest
from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.core.errors import Code, Refused


class StaffToken(TokenAuthentication):  # type: ignore[misc]  # knox has no annotations
    """Knox's tokens, read in one query; its own way deletes expired ones on every request and trips over odd bytes."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """The account behind a token that is neither expired nor revoked."""
        text = token.decode("ascii", "replace")
        digest = hash_token(text)
        found = AuthToken.objects.select_related("user", "grant").filter(
            grant__isnull=False,
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
            expiry__gt=timezone.now(),
            user__is_active=True,
        )
        for candidate in found:
            if hmac.compare_digest(candidate.digest, digest):
                return candidate.user, candidate
        raise AuthenticationFailed


class InScope(BasePermission):
    """GET takes a token that may read in the view's area, any other method one that may write there.

    403, which names the scope: who holds a token may know what it is for.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        grant: TokenGrant = request.auth.grant  # type: ignore[union-attr]  # knox's token, not the framework's
        scope = scopes.needed(area_of(type(view)), is_reading=request.method in SAFE_METHODS)
        if not scopes.allows(grant.scope, scope):
            raise Refused(Code.SCOPE_MISSING, scope=scope)
        return True


def area_of(view: type[APIView]) -> Area:
    """What the view is about. Raises AttributeError for one that does not say it, so that none is open by oversight."""
    area: Area = view.area  # type: ignore[attr-defined]
    return area


class IsStaff(BasePermission):
    """Logged in, and still of the practice's staff."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        return bool(request.user and request.user.is_staff)


def request_actor(request: Request) -> str:
    """The account that asks, as the ledger names it."""
    return actors.for_account(request.user)


def refuse_price(access: AccessPolicy, amount: int | None) -> None:
    """An amount of their own from who may not set one: 400, as other fields that cannot be taken."""
    if amount is not None and not access.sets_prices:
        raise ValidationError({"amount": "The price is the psychologist's fee. Please leave the amount out."})


class StaffView(Door):
    """An endpoint for staff, in an area of scopes. What somebody's roles do not show them answers as nothing would."""

    area: Area
    authentication_classes = (StaffToken,)
    permission_classes: tuple[type[BasePermission], ...] = (IsStaff, InScope)

    @cached_property
    def access(self) -> AccessPolicy:
        """What whoever asks may see and do."""
        return AccessPolicy(self.request.user)

    def check_permissions(self, request: Request) -> None:
        """Requires a member of staff whose role may read here (GET) or act here (other methods); one that there is not
        is answered 405."""
        super().check_permissions(request)
        if not hasattr(self, str(request.method).lower()):
            return
        if not (self.may_read() if request.method in SAFE_METHODS else self.may_act()):
            raise NotFound

    def may_read(self) -> bool:
        """Whether there can be anything for them to read here."""
        return self.access.sees_bookings

    def may_act(self) -> bool:
        """Whether there can be anything for them to do here."""
        return self.access.decides


def _token(user: User, given: Mapping[str, Any]) -> tuple[TokenGrant, str]:
    """A new one, if the password is still the one that was found right. Refuses: login_failed."""
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=user.pk, password=user.password, is_active=True).exists():
            raise Refused(Code.LOGIN_FAILED)
        name, scope = given["name"] or "API log-in", given["scope"]
        return tokens.make(user, name=name, scope=scope, lifetime=knox_settings.TOKEN_TTL)


@described(post=Operation("staff_login", LoginAnswer, LoginRequest))
class Login(APIView):
    """POST: a token for name, password and code. Who is not staff fails too; `backend.api.logins` limits failures."""

    def post(self, request: Request) -> Response:
        given = parse_request(LoginRequest, request.data).validated_data
        user = authenticate(request._request, username=given["username"], password=given["password"])
        if user is None:
            raise Refused(Code.LOGIN_FAILED)
        if not user.is_staff or not second_factor.check_code(user, given["otp"]):
            user_login_failed.send(sender=Login, credentials=given, request=request._request)
            raise Refused(Code.LOGIN_FAILED)
        grant, token = _token(user, given)
        user_logged_in.send(sender=type(user), request=request._request, user=user)
        ends = responses.utc_iso(grant.token.expiry)
        return Response({"token": token, "expires_at": ends, "scope": grant.scope})


@described(post=Operation("staff_logout", MessageAnswer))
class Logout(APIView):
    """POST: this token ends."""

    authentication_classes = (StaffToken,)
    permission_classes: tuple[type[BasePermission], ...] = (IsStaff,)

    def post(self, request: Request) -> Response:
        self.tokens_to_revoke(request).delete()
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response({"message": "You are logged out."})

    def tokens_to_revoke(self, request: Request) -> QuerySet[AuthToken]:
        """The tokens that end."""
        tokens: QuerySet[AuthToken] = AuthToken.objects.filter(pk=request.auth.pk)
        return tokens


@described(post=Operation("staff_logout_all", MessageAnswer))
class LogoutAll(Logout):
    """POST: every token of this account ends."""

    permission_classes = (IsStaff, InScope)
    area = Area.ACCOUNT

    def tokens_to_revoke(self, request: Request) -> QuerySet[AuthToken]:
        tokens: QuerySet[AuthToken] = AuthToken.objects.filter(user=request.user)
        return tokens
