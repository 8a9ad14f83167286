"""The overview that refreshes itself, and the pages on which an operator acts; the list of acts hosts them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.bookings import actors
from backend.core.admin_pages import ReadOnly
from backend.core.formatting import NOTHING, short_day_and_time
from backend.core.row_ids import row_id
from backend.ops import findings, operator_actions, snapshot, status_tables
from backend.ops.admin.dead_letters import DeadLettersPage
from backend.ops.admin.permissions import is_operator
from backend.ops.formatting import format_utc as utc
from backend.ops.health import Health, TimerHealth
from backend.ops.models import Act, TimerRun
from backend.outbox.models import PausedQueue, Queue

REFRESH_EVERY = 5  # seconds
RUNS_SHOWN = 50
PAGE_OF = {"Queues": "admin:ops_queue", "Timers": "admin:ops_timer"}  # where a row of a table leads
View = Callable[..., HttpResponse]


def _for_operators(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **arguments: str) -> HttpResponse:
        if not is_operator(request):
            raise Http404
        return view(request, **arguments)

    return guarded


@admin.register(Act)
class ActAdmin(ReadOnly, DeadLettersPage, admin.ModelAdmin[Act]):
    list_display = ["time", "who", "verb", "subject", "message", "reason"]
    list_filter = ["verb", ("at", admin.DateFieldListFilter)]
    search_fields = ["actor", "subject", "=message_id"]
    search_help_text = "Actor, subject or message"
    show_full_result_count = False
    list_per_page = 50
    fields = ["time", "who", "verb", "subject", "message", "reason"]

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, View]] = {
            "overview": ("overview/", self.overview),
            "schedules": ("schedules/", self.schedules),
            "timer": ("timers/<slug:name>/", self.timer),
            "queue": ("queues/<slug:name>/", self.queue),
            "dead_letters": ("dead-letters/", self.dead_letters),
        }
        ours = [
            path(route, self.admin_site.admin_view(_for_operators(view)), name=f"ops_{name}")
            for name, (route, view) in pages.items()
        ]
        return [*ours, *super().get_urls()]

    @admin.display(description="at", ordering="at")
    def time(self, act: Act) -> str:
        return short_day_and_time(act.at)

    @admin.display(description="who", ordering="actor")
    def who(self, act: Act) -> str:
        return actors.describe(act.actor)

    @admin.display(description="message")
    def message(self, act: Act) -> str | SafeString:
        if act.message_id is None:
            return NOTHING
        return format_html('<a href="../../outbox/message/{0}/change/">{0}</a>', act.message_id)

    # -- looking -------------------------------------------------------------------------------------------------------

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Everything at this moment; `?part=live` is what the page fetches again and again."""
        taken = snapshot.take_snapshot(now=timezone.now())
        shown = [(table, PAGE_OF.get(table.title, "")) for table in status_tables.build_tables(taken)]
        context = {"tables": shown, "findings": findings.judge(taken), "taken_at": utc(taken.taken_at)}
        return self._live_page(request, "Overview", {**context, "all_well": "Nothing needs you."})

    def schedules(self, request: HttpRequest) -> HttpResponse:
        """The timers alone, and what they did of late."""
        taken = snapshot.take_snapshot(now=timezone.now(), with_figures=False)
        signs = taken.health.timers if taken.health else ()
        found = [finding for finding in findings.judge(taken) if finding.component in ("timers", "beat")]
        runs = TimerRun.objects.all()[:RUNS_SHOWN] if taken.health else ()
        shown = [(table, PAGE_OF["Timers"]) for table in (status_tables.timers(signs), status_tables.history(runs))]
        context = {"tables": shown, "findings": found, "taken_at": utc(taken.taken_at)}
        return self._live_page(request, "Schedules", {**context, "all_well": "No timer needs you."})

    def _live_page(self, request: HttpRequest, title: str, context: dict[str, Any]) -> HttpResponse:
        if request.GET.get("part") == "live":
            return TemplateResponse(request, "admin/ops/_live.html", context)
        return self.page(request, "live", title, {**context, "refresh_every": REFRESH_EVERY})

    # -- acting --------------------------------------------------------------------------------------------------------

    def timer(self, request: HttpRequest, name: str) -> HttpResponse:
        """A timer's state and history; POST asks for a run now."""
        sign = self._sign(name)
        if request.method == "POST":
            if operator_actions.run_timer(name, actor=actors.for_account(request.user), now=timezone.now()):
                messages.success(request, f"{name} runs as soon as a timers worker is free.")
            else:
                messages.warning(request, f"A run of {name} was asked for already.")
            return redirect("admin:ops_timer", name)
        runs = TimerRun.objects.filter(timer=name)[:RUNS_SHOWN]
        context = {
            "sign": sign,
            "state": [(status_tables.timers((sign,)), "")],
            "history": [(status_tables.history(runs), "")],
        }
        return self.page(request, "timer", f"Timer {name}", context)

    def _sign(self, name: str) -> TimerHealth:
        health: Health | None = snapshot.take_snapshot(now=timezone.now(), with_figures=False).health
        for sign in health.timers if health else ():
            if sign.name == name:
                return sign
        raise Http404

    def queue(self, request: HttpRequest, name: str) -> HttpResponse:
        """A queue's pause and what is in workers' hands; POST pauses, resumes, or takes a lease away."""
        if name not in Queue.values:
            raise Http404
        if request.method == "POST":
            self._act_on_queue(request, Queue(name))
            return redirect("admin:ops_queue", name)
        now = timezone.now()
        held = [
            (short_day_and_time(row.lease_expires_at), row)
            for row in operator_actions.leased(now=now).filter(queue=name)[:100]
        ]
        pause = PausedQueue.objects.filter(pk=name).first()
        context = {
            "name": name,
            "pause": pause,
            "paused_at": pause and short_day_and_time(pause.paused_at),
            "held": held,
        }
        return self.page(request, "queue", f"Queue {name}", context)

    def _act_on_queue(self, request: HttpRequest, queue: Queue) -> None:
        now, who, reason = (
            timezone.now(),
            actors.for_account(request.user),
            request.POST.get("reason", "").strip()[:300],
        )
        match request.POST.get("do"):
            case "pause" if not reason:
                messages.error(request, "Say why: others will wonder.")
            case "pause":
                done = operator_actions.pause(queue, reason=reason, actor=who, now=now)
                self.report_result(request, done, "Paused. Batches in hand are finished.", "It was paused already.")
            case "resume":
                done = operator_actions.resume(queue, actor=who, now=now)
                self.report_result(request, done, "Resumed.", "It was not paused.")
            case "release" if chosen := row_id(request.POST.get("message", "")):
                done = operator_actions.release_lease(chosen, actor=who, now=now)
                self.report_result(
                    request, done, "Released: any worker may take it.", "It is in nobody's hands any more."
                )
            case _:
                messages.error(request, "Nothing was done.")
