"""The page of dead letters: filter, try again one or all at a rate, discard with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.queries import acknowledgement_ids
from backend.core.formatting import NOTHING, short_day_and_time
from backend.core.row_ids import row_id
from backend.ops import operator_actions
from backend.ops.models import Act
from backend.outbox.models import Message, Queue

SHOWN = 100


class DeadLettersPage(ModelAdmin[Act]):
    """Mixed into the admin that hosts the operations pages."""

    def page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        """A page of ours in the admin's frame."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/ops/{template}.html", {**frame, **context})

    def report_result(self, request: HttpRequest, done: bool, success: str, overtaken: str) -> None:
        """What became of one act."""
        if done:
            messages.success(request, success)
        else:
            messages.warning(request, overtaken)

    def dead_letters(self, request: HttpRequest) -> HttpResponse:
        """GET lists what the filters leave; POST acts on one of them, or on all."""
        rows = _filtered(request.GET)
        if request.method == "POST":
            self._act(request, rows)
            query = request.GET.urlencode()
            return redirect(reverse("admin:ops_dead_letters") + (f"?{query}" if query else ""))
        shown = list(rows[:SHOWN])
        bookings = acknowledgement_ids(row.booking_id for row in shown)
        context = {
            "letters": [
                (row, short_day_and_time(row.settled_at), bookings.get(row.booking_id, NOTHING)) for row in shown
            ],
            "total": rows.count(),
            "shown": SHOWN,
            "at_once": operator_actions.AT_ONCE,
            "queues": Queue.values,
            "kinds": sorted(operator_actions.dead_letters().order_by().values_list("kind", flat=True).distinct()),
            "chosen": {name: request.GET.get(name, "") for name in ("queue", "kind", "error")},
            "per_minute": operator_actions.PER_MINUTE,
        }
        return self.page(request, "dead_letters", "Dead letters", context)

    def _act(self, request: HttpRequest, rows: QuerySet[Message]) -> None:
        now, who, posted = timezone.now(), actors.for_account(request.user), request.POST
        reason = posted.get("reason", "").strip()[:300]
        chosen, rate = row_id(posted.get("message", "")), row_id(posted.get("rate", ""))
        match posted.get("do"):
            case "redrive" if chosen:
                done = operator_actions.redrive(chosen, actor=who, now=now)
                self.report_result(request, done, "Back to work.", "It is dead no more, or its address is blanked.")
            case "redrive_all" if 1 <= rate <= 6000:
                count = operator_actions.redrive_many(_ids(rows), per_minute=rate, actor=who, now=now)
                messages.success(request, f"{count} back to work, {rate} a minute.")
            case "discard" | "discard_all" if not reason:
                messages.error(request, "Say why it is not wanted any more.")
            case "discard" if chosen:
                done = operator_actions.discard(chosen, reason=reason, actor=who, now=now)
                self.report_result(request, done, "Discarded.", "It is dead no more.")
            case "discard_all":
                count = operator_actions.discard_many(_ids(rows), reason=reason, actor=who, now=now)
                messages.success(request, f"{count} discarded.")
            case _:
                messages.error(request, "Nothing was done. A rate is letters a minute, from 1 to 6000.")


def _filtered(query: QueryDict) -> QuerySet[Message]:
    return operator_actions.dead_letters(
        queue=query.get("queue", ""), kind=query.get("kind", ""), reason=query.get("error", "")[:100]
    )


def _ids(rows: QuerySet[Message]) -> list[int]:
    return list(rows.values_list("pk", flat=True)[: operator_actions.AT_ONCE])
