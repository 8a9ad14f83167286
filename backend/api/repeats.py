"""Idempotency-Key: a request that carries one is done once, and a repetition is answered with the same bytes for a day.

draft-ietf-httpapi-idempotency-key-header, with what it leaves to the server: docs/decisions/062. Without the header
nothing here runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api import errors
from backend.bookings import kept_answers
from backend.bookings.kept_answers import Held, Lost
from backend.core import disclosures
from backend.core.disclosures import Act, Disclosures
from backend.core.errors import Code, Refused

HEADER = "Idempotency-Key"
KEY = re.compile(r'"?([!#-\[\]-~]{16,255})"?')  # a structured string, or its content; shorter ones could be guessed
ACTED = (Code.CONFIRM_BY_EMAIL,)  # refusals that have done something: the mail is on its way
ABOUT = re.compile(r"MS-[0-9A-HJKMNP-TV-Z]{6}")


class Door(APIView):
    """An endpoint whose POST may carry a key."""

    keeps_answers = True  # no: what it answers is a secret, or a reading that is recorded each time
    is_one_transaction = True  # no: it asks somebody outside, and its answer is kept afterwards

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As ever, or once."""
        run: Callable[..., Any] = super().dispatch
        if request.method != "POST" or not self.keeps_answers or HEADER not in request.headers:
            return run(request, *args, **kwargs)
        return _once(self, request, lambda: run(request, *args, **kwargs))

    def caller(self, request: HttpRequest) -> str | None:
        """Whose key it is; None: who asks may not, and is told so by the view itself.

        Strangers are one caller: between two tries of one the network changes. Hence the length that a key must have.
        """
        asked = self.initialize_request(request, *self.args, **self.kwargs)
        self.request = asked
        try:
            self.initial(asked, *self.args, **self.kwargs)
        except (APIException, Refused, Http404, PermissionDenied):
            return None
        return "" if asked.auth is None else f"token {asked.auth.pk}"


def _once(view: Door, request: HttpRequest, run: Callable[[], Response]) -> HttpResponse:
    caller = view.caller(request)
    if caller is None:
        return run()
    try:
        held = kept_answers.reserve(*_names(request, caller), now=timezone.now())
        return _replayed(held) if isinstance(held, str) else _held(view, held, run)
    except Refused as refused:
        problem = errors.refusal(refused)
        return errors.json_answer(
            problem.status, request, code=problem.code, detail=problem.detail, headers=dict(problem.headers)
        )


def _names(request: HttpRequest, caller: str) -> tuple[str, str]:
    """What the key is known by, and what was sent with it. Refuses: key_malformed."""
    found = KEY.fullmatch(request.headers[HEADER].strip())
    if found is None:
        raise Refused(Code.KEY_MALFORMED)
    digest = hashlib.sha256("\n".join((caller, request.path_info, found[1])).encode()).hexdigest()
    return digest, salted_hmac("backend.api.repeats", request.body, algorithm="sha256").hexdigest()


def _held(view: Door, held: Held, run: Callable[[], Response]) -> HttpResponse:
    """Do it, and keep what is answered. Refuses: key_in_use, when somebody else took the key meanwhile."""
    try:
        with transaction.atomic() if view.is_one_transaction else nullcontext():
            response, shown = _rendered(run)
            _settle(held, response, shown)
    except Lost:
        raise Refused(Code.KEY_IN_USE, retry_after=kept_answers.ASK_AGAIN) from None
    except BaseException:
        with suppress(DatabaseError, InterfaceError):  # then its lease ends it
            kept_answers.release(held)
        raise
    return response


def _rendered(run: Callable[[], Response]) -> tuple[Response, Disclosures]:
    with disclosures.listening() as shown:
        response = run().render()
    disclosures.pass_on(shown)
    return response, shown


def _settle(held: Held, response: Response, shown: Disclosures) -> None:
    """What was refused changed nothing, so its key is free: the next try may find it otherwise. Raises Lost."""
    code = response.data.get("code") if isinstance(response.data, dict) else None
    if response.status_code >= 300 and code not in ACTED:
        kept_answers.release(held)
        return
    body = response.content.decode()
    answer = {
        "status": response.status_code,
        "body": body,
        "headers": dict(response.items()),
        "shown": {name: sorted(ids) for name, ids in shown.ids.items()},
        "act": shown.act.value,
    }
    about = {*ABOUT.findall(body), *map(kept_answers.client_name, shown.ids_of("client"))}
    kept_answers.keep(held, json.dumps(answer), about, now=timezone.now())


def _replayed(kept: str) -> HttpResponse:
    """The same bytes. Who reads them again is recorded again."""
    answer = json.loads(kept)
    shown = {name: set(ids) for name, ids in answer["shown"].items()}
    disclosures.pass_on(Disclosures(shown, Act(answer["act"])))
    return HttpResponse(answer["body"], status=answer["status"], headers=answer["headers"])
