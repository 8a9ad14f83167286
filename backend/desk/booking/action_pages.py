"""The pages on which staff act: one view for every action of the table, and the request of a caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle import disclosure, front_desk
from backend.bookings.lifecycle.read_receipts import mark_message_read
from backend.bookings.models import Booking
from backend.bookings.refusals import ANSWERS, OVERTAKEN, last_step, overtaken, staff_sentence
from backend.core.admin_pages import ReadOnly
from backend.core.errors import Code, Refused, required
from backend.core.formatting import short_day_and_time
from backend.desk.booking import consequences
from backend.desk.booking.actions import ACTIONS, Action, Decision, Overtaken, carry_out, open_to, what_follows
from backend.desk.booking.consequences import Consequences
from backend.desk.booking.forms import ActionForm, opened
from backend.desk.booking.result import describe_result
from backend.desk.phone import form as caller
from backend.desk.phone import known_clients
from backend.desk.phone.form import CallerForm


class ActionPages(ReadOnly, admin.ModelAdmin[Booking]):
    """A decision counts only for the booking as it was when its page was opened: `seen` is that ledger sequence."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return AccessPolicy(request.user).sees_bookings

    def has_view_permission(self, request: HttpRequest, _obj: Booking | None = None) -> bool:
        return AccessPolicy(request.user).sees_bookings

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        """Those that the account sees; the others do not exist for it."""
        return super().get_queryset(request).filter(AccessPolicy(request.user).bookings())

    def _get_obj_does_not_exist_redirect(self, _request: HttpRequest, *_unknown: object) -> HttpResponse:
        """Django leads to the index and names the id."""
        raise Http404

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path("new/", self.admin_site.admin_view(self.new), name="bookings_booking_new"),
            path(
                "<int:booking_id>/reveal-phone/",
                self.admin_site.admin_view(self.reveal_phone),
                name="bookings_booking_reveal_phone",
            ),
        ]
        for action in ACTIONS:
            view = self.admin_site.admin_view(partial(self.act, action=action))
            ours.append(path(f"<int:booking_id>/{action.name}/", view, name=f"bookings_booking_{action.name}"))
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "may_decide": AccessPolicy(request.user).decides}
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Booking | None = None,
    ) -> HttpResponse:
        """The booking's page, with a button for each action that is possible."""
        obj = required(obj, "the page's booking")
        access = AccessPolicy(request.user)
        context["actions"] = open_to(access, obj, now=timezone.now())
        context["may_reveal"] = access.reveals_phones and not access.sees_phones
        context["asked_to_cancel"] = short_day_and_time(obj.cancellation_requested_at)
        if access.reads_message(obj):  # a message counts as read once somebody whom it is shown to has opened it
            mark_message_read(obj.pk, now=timezone.now())
        return super().render_change_form(request, context, add, change, form_url, obj)

    # -- an action on a booking ----------------------------------------------------------------------------------------

    def act(self, request: HttpRequest, booking_id: int, *, action: Action) -> HttpResponse:
        """What will happen, and on POST what happened; a refusal is shown beside what was typed.

        Sent with `preview`, what is typed is tried and told, and nothing is done.
        """
        booking = self._to_decide_on(request, booking_id, action.scope)
        if request.method == "POST":
            form = action.form(booking, request.POST)
            if "preview" in request.POST:
                return self._preview(request, action, form)
            status = self._decide(request, action, form)
            if status:
                return self._action_page(request, action, form, status, consequences.not_yet(consequences.MEND))
            messages.success(request, describe_result(self._booking(booking_id)))
        elif action.is_open(booking, timezone.now()):
            offered = {"offered": request.GET["offered"]} if "offered" in request.GET else None
            form = action.form(booking, initial=offered)
            follows = self._follows(request, action, opened(form))
            return self._action_page(request, action, form, 200, follows)
        else:
            messages.warning(request, f"“{action.label}” is not possible now. {last_step(booking)}")
        return redirect("admin:bookings_booking_change", booking_id)

    def _follows(self, request: HttpRequest, action: Action, form: ActionForm) -> Consequences:
        """What the action would do with what is typed, or what to type first."""
        if not form.is_valid():
            return consequences.not_yet(form.asks)
        return what_follows(action, Decision(form, actor=self._actor(request), now=timezone.now()))

    def _preview(self, request: HttpRequest, action: Action, form: ActionForm) -> HttpResponse:
        status = self._unfit(request, action, form)
        follows = self._follows(request, action, form) if not status else consequences.not_yet(consequences.MEND)
        return self._action_page(request, action, form, status or 200, follows)

    def _unfit(self, request: HttpRequest, action: Action, form: ActionForm) -> int:
        """The status of a form that cannot be decided on, with its errors; else 0."""
        is_valid = form.is_valid()
        if request.POST.get("seen") != str(form.booking.ledger_sequence):
            form.add_error(None, _overtaken(action, form.booking))
            return OVERTAKEN
        return 0 if is_valid else 400

    def _decide(self, request: HttpRequest, action: Action, form: ActionForm) -> int:
        """0 when it is done, else the status of the page that says why not."""
        status = self._unfit(request, action, form)
        if status:
            return status
        try:
            carry_out(action, Decision(form, actor=self._actor(request), now=timezone.now()))
        except Overtaken:
            form.add_error(None, _overtaken(action, self._booking(form.booking.pk)))
            return OVERTAKEN
        except Refused as refused:
            return refuse(form, refused, form.booking)
        return 0

    def _action_page(
        self, request: HttpRequest, action: Action, form: ActionForm, status: int, follows: Consequences
    ) -> HttpResponse:
        booking = self._booking(form.booking.pk)
        if request.method == "GET" and AccessPolicy(request.user).reads_message(booking):
            mark_message_read(booking.pk, now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{action.label}: {booking}",
            "booking": booking,
            "action": action,
            "form": form,
            "is_open": action.is_open(booking, timezone.now()),
            "consequences": follows,
            "about": self.about(booking, AccessPolicy(request.user)),
            "asked_to_cancel": short_day_and_time(booking.cancellation_requested_at),
        }
        return TemplateResponse(request, "admin/bookings/booking/action.html", context, status=status)

    def about(self, booking: Booking, access: AccessPolicy) -> list[tuple[str, str]]:
        """What somebody must know of a booking to decide about it, and may see, label by label."""
        raise NotImplementedError

    # -- a telephone number --------------------------------------------------------------------------------------------

    def reveal_phone(self, request: HttpRequest, booking_id: int) -> HttpResponse:
        """POST: the number, once; who opens the address gets the booking's page, which masks it."""
        access = AccessPolicy(request.user)
        rows = Booking.objects.filter(access.bookings())
        if not access.reveals_phones or not rows.filter(pk=booking_id).exists():
            raise Http404
        if request.method != "POST":
            return redirect("admin:bookings_booking_change", booking_id)
        booking = disclosure.reveal_phone(booking_id, actor=self._actor(request), now=timezone.now())
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"Call {booking}"}
        return TemplateResponse(request, "admin/bookings/booking/phone.html", {**context, "booking": booking})

    # -- a caller's request --------------------------------------------------------------------------------------------

    def new(self, request: HttpRequest) -> HttpResponse:
        """The request of somebody on the phone; on success the booking's page shows its id.

        Sent with `preview`, it is tried and told, and nothing is recorded.
        """
        access, now = AccessPolicy(request.user), timezone.now()
        if not access.decides:
            raise Http404
        is_post = request.method == "POST"
        given = request.POST if is_post else request.GET
        known = known_clients.like(given.get("like", ""), access)
        initial = {**request.GET.dict(), **(known_clients.filled(known, access) if known else {})}
        form = CallerForm(request.POST if is_post else None, now=now, known=known, initial=initial)
        status, follows = 200, consequences.not_yet(caller.ASKS)
        if is_post:
            answer = self._taken(request, form, now=now)
            if isinstance(answer, HttpResponse):
                return answer
            status, follows = answer
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "New booking",
            "form": form,
            "known": known,
            "find": request.GET.get("find", ""),
            "people": known_clients.known(request.GET.get("find", ""), access),
            "consequences": follows,
        }
        return TemplateResponse(request, "admin/bookings/booking/new.html", context, status=status)

    def _taken(
        self, request: HttpRequest, form: CallerForm, *, now: datetime
    ) -> HttpResponse | tuple[int, Consequences]:
        """Recorded, and where to go; else the page's status, and what would follow."""
        actor, asks = self._actor(request), consequences.not_yet(caller.ASKS)
        if not form.is_valid():
            return 400, asks
        try:
            if "preview" in request.POST:
                return 200, caller.what_follows(form, actor=actor, now=now)
            recorded = front_desk.create_by_staff(form.draft(), actor=actor, now=now)
        except Refused as refused:
            return refuse(form, refused), asks
        return self._recorded(request, form, recorded)

    def _recorded(self, request: HttpRequest, form: CallerForm, recorded: front_desk.Recorded) -> HttpResponse:
        """The request has its id; a slot that was chosen is settled now, and told if it could not be."""
        booking, problem = recorded.booking, None
        if recorded.is_new:
            try:
                caller.settle(booking, form, actor=self._actor(request), now=timezone.now())
            except Refused as refused:
                problem = refused
        booking = self._booking(booking.pk)
        level = messages.SUCCESS if recorded.is_new else messages.WARNING
        messages.add_message(request, level, caller.told(replace(recorded, booking=booking)))
        if problem is not None:
            messages.error(request, f"What you settled beside it was not done: {staff_sentence(problem, booking)}")
        return redirect("admin:bookings_booking_change", booking.pk)

    # -- details -------------------------------------------------------------------------------------------------------

    def _to_decide_on(self, request: HttpRequest, booking_id: int, scope: Scope) -> Booking:
        rows = Booking.objects.select_related("corporate", "psychologist")
        return get_object_or_404(rows.filter(AccessPolicy(request.user).bookings_to(scope)), pk=booking_id)

    def _booking(self, booking_id: int) -> Booking:
        return Booking.objects.select_related("corporate", "psychologist").get(pk=booking_id)

    def _actor(self, request: HttpRequest) -> str:
        return actors.of(request.user)


def refuse(form: BaseForm, refused: Refused, booking: Booking | None = None) -> int:
    """Show the refusal beside its field; the page's status."""
    answer = ANSWERS[refused.code]
    field = answer.desk_field
    form.add_error(field if field in form.fields else None, staff_sentence(refused, booking))
    return answer.status


def _overtaken(action: Action, booking: Booking) -> str:
    if action.is_open(booking, timezone.now()):
        return overtaken(booking)
    return staff_sentence(Refused(Code.STATE_REFUSES), booking)
