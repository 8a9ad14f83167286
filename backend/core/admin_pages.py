"""What the admin pages of every app share: read-only models, and 404 instead of 403."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from backend.core import disclosures
from backend.core.disclosures import Act


class ForbiddenAsNotFoundMiddleware:
    """Middleware: in the admin, what somebody may not see or do answers as what does not exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        match = request.resolver_match
        if not isinstance(error, PermissionDenied) or match is None or "admin" not in match.app_names:
            return None
        return response_for_exception(request, Http404())


class ReadOnly:
    """For a page or an inline that shows rows and changes none."""

    def has_add_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False


class ListOfPeople:
    """For a list of rows about people: a search in it is noted, and the columns that it shows of each.

    Django's own log of what was changed knows them by their number: an erasure would not find a name there.
    """

    notes_in_list: tuple[str, ...] = ()

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _logged(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _logged(request, obj, CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        return [_logged(request, row, DELETION) for row in queryset]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        changes = (getattr(answer, "context_data", None) or {}).get("cl")
        if isinstance(changes, ChangeList):
            shown = [row.pk for row in changes.result_list]
            disclosures.note_ids(changes.model, shown, *self.notes_in_list)
            if changes.query:
                disclosures.note_act(Act.SEARCHED, changes.model, shown)
        return answer


def _logged(request: HttpRequest, row: models.Model, flag: int, message: Any = "") -> LogEntry:
    return LogEntry.objects.create(
        user_id=request.user.pk or 0,
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.pk,
        object_repr=f"{row._meta.verbose_name} {row.pk}",
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )
