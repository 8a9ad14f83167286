"""What operators see and mend: the health of the whole, queues, timers and dead letters."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.http import Http404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.roles import Ability, has_any_permission
from backend.accounts.scopes import Area
from backend.api.fields import ChoiceField, LineField, WholeNumberField
from backend.api.public.requests import parse_request
from backend.api.responses import utc_iso
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView, request_actor
from backend.api.staff.records.shapes import Instant
from backend.api.staff.requests import NothingRequest
from backend.api.staff.telephone import DoneAnswer
from backend.ops import findings, operator_actions, snapshot
from backend.outbox.models import Message, PausedQueue, Queue

HELD_MOST, RATE_MOST = 100, 6000
_REASON = "Please say why: others will wonder."


class FindingAnswer(serializers.Serializer[Any]):
    level = serializers.CharField()
    component = serializers.CharField()
    text = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class OverviewAnswer(serializers.Serializer[Any]):
    taken_at = Instant()
    findings = FindingAnswer(many=True, help_text="Empty: nothing needs you.")
    snapshot = serializers.DictField(help_text="As `ops_status --json` tells it; what stands in it may change.")


class HeldAnswer(serializers.Serializer[Any]):
    message_id = serializers.IntegerField()
    kind = serializers.CharField()
    lease_expires_at = Instant()


class QueueAnswer(serializers.Serializer[Any]):
    queue = serializers.CharField()
    paused_at = Instant(allow_null=True)
    paused_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    held = HeldAnswer(many=True, help_text="In workers' hands, those held longest first.")


class CountAnswer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text=f"At most {operator_actions.AT_ONCE} at once; ask again for the rest.")


class ReasonRequest(serializers.Serializer[Any]):
    reason = LineField(_REASON, max_length=300)


class LettersRequest(serializers.Serializer[Any]):
    """Which dead letters: all, unless narrowed."""

    queue = ChoiceField("Please choose a queue.", Queue, required=False, default="")
    kind = LineField("Please write the kind.", max_length=48, required=False, allow_blank=True, default="")
    error = LineField("Please write a part of the error.", max_length=100, required=False, allow_blank=True, default="")

    def ids(self) -> list[int]:
        """The oldest first, as many as are moved at once."""
        given = self.validated_data
        rows = operator_actions.dead_letters(queue=given["queue"], kind=given["kind"], reason=given["error"])
        return list(rows.values_list("pk", flat=True)[: operator_actions.AT_ONCE])


class RedriveRequest(LettersRequest):
    per_minute = WholeNumberField(
        f"Please give 1 to {RATE_MOST} a minute.",
        least=1,
        most=RATE_MOST,
        required=False,
        default=operator_actions.PER_MINUTE,
    )


class DiscardRequest(LettersRequest):
    reason = LineField(_REASON, max_length=300)


class OperatorView(StaffView):
    """For operators: whoever re-drives mail writes to visitors."""

    area = Area.OPERATIONS

    def may_read(self) -> bool:
        return has_any_permission(self.access.user, Ability.OPERATE)

    def may_act(self) -> bool:
        return self.may_read()


@described(get=Operation("staff_overview", OverviewAnswer))
class Overview(OperatorView):
    """GET: the whole at this moment, and what is wrong with it."""

    def get(self, _request: Request) -> Response:
        taken = snapshot.take_snapshot(now=timezone.now())
        told = [{"level": one.level.value, "component": one.component, "text": one.text, "advice": one.advice}
                for one in findings.judge(taken)]  # fmt: skip
        whole = _plain(asdict(taken))
        return Response({"taken_at": utc_iso(taken.taken_at), "findings": told, "snapshot": whole})


def _plain(value: Any) -> Any:
    """As JSON has it: spans are seconds, and what is no number is null."""
    match value:
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value]
        case float():
            return value if math.isfinite(value) else None
        case timedelta():
            return value.total_seconds()
        case None | bool() | int():
            return value
    return utc_iso(value) if isinstance(value, datetime) else str(value)


@described(get=Operation("staff_queue", QueueAnswer))
class QueueState(OperatorView):
    """GET: whether a queue is paused, and what workers have in hand."""

    def get(self, _request: Request, queue: str) -> Response:
        pause = PausedQueue.objects.filter(pk=known_queue(queue)).first()
        held = operator_actions.leased(now=timezone.now()).filter(queue=queue)[:HELD_MOST]
        rows = [
            {"message_id": one.pk, "kind": one.kind, "lease_expires_at": utc_iso(one.lease_expires_at)} for one in held
        ]
        told: dict[str, str | None] = {"paused_at": None, "paused_by": None, "reason": None}
        if pause is not None:
            told = {"paused_at": utc_iso(pause.paused_at), "paused_by": pause.paused_by, "reason": pause.reason}
        return Response({"queue": queue, **told, "held": rows})


def known_queue(name: str) -> Queue:
    """Raises Http404."""
    if name not in Queue.values:
        raise Http404
    return Queue(name)


class OperatorAct(OperatorView):
    """POST: one act, recorded with who and when."""

    shape: ClassVar[type[serializers.Serializer[Any]]] = NothingRequest

    def post(self, request: Request, **address: Any) -> Response:
        given = parse_request(self.shape, request.data).validated_data
        return Response({"is_done": self.act(given, actor=request_actor(request), now=timezone.now(), **address)})

    def act(self, given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        """False: somebody else was first."""
        raise NotImplementedError


@described(post=Operation("staff_pause", DoneAnswer, ReasonRequest))
class Pause(OperatorAct):
    """POST: claim nothing more of the queue; what is in hand is finished."""

    shape = ReasonRequest

    def act(self, given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        return operator_actions.pause(known_queue(address["queue"]), reason=given["reason"], actor=actor, now=now)


@described(post=Operation("staff_resume", DoneAnswer, NothingRequest))
class Resume(OperatorAct):
    """POST: claim again."""

    def act(self, _given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        return operator_actions.resume(known_queue(address["queue"]), actor=actor, now=now)


@described(post=Operation("staff_run_timer", DoneAnswer, NothingRequest))
class RunTimer(OperatorAct):
    """POST: run the timer as soon as a worker is free."""

    def act(self, _given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        health = snapshot.take_snapshot(now=now, with_figures=False).health
        if address["timer"] not in {sign.name for sign in (health.timers if health else ())}:
            raise Http404
        return operator_actions.run_timer(address["timer"], actor=actor, now=now)


class MessageAct(OperatorAct):
    """On one row of the outbox."""

    model = Message

    def known(self, row_id: int) -> int:
        """Raises Http404."""
        if not Message.objects.filter(pk=row_id).exists():
            raise Http404
        return row_id


@described(post=Operation("staff_redrive", DoneAnswer, NothingRequest))
class Redrive(MessageAct):
    """POST: try a dead letter again, with fresh attempts."""

    def act(self, _given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        return operator_actions.redrive(self.known(address["row_id"]), actor=actor, now=now)


@described(post=Operation("staff_discard", DoneAnswer, ReasonRequest))
class Discard(MessageAct):
    """POST: a dead letter is not wanted any more."""

    shape = ReasonRequest

    def act(self, given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        return operator_actions.discard(self.known(address["row_id"]), reason=given["reason"], actor=actor, now=now)


@described(post=Operation("staff_release", DoneAnswer, NothingRequest))
class Release(MessageAct):
    """POST: take a row out of a worker's hands; any other may take it."""

    def act(self, _given: dict[str, Any], /, *, actor: str, now: datetime, **address: Any) -> bool:
        return operator_actions.release_lease(self.known(address["row_id"]), actor=actor, now=now)


@described(post=Operation("staff_redrive_many", CountAnswer, RedriveRequest))
class RedriveMany(OperatorView):
    """POST: try these dead letters again, one after the other at this rate."""

    def post(self, request: Request) -> Response:
        body, now = parse_request(RedriveRequest, request.data), timezone.now()
        rate: int = body.validated_data["per_minute"]
        count = operator_actions.redrive_many(body.ids(), per_minute=rate, actor=request_actor(request), now=now)
        return Response({"count": count})


@described(post=Operation("staff_discard_many", CountAnswer, DiscardRequest))
class DiscardMany(OperatorView):
    """POST: these dead letters are not wanted any more, for one reason."""

    def post(self, request: Request) -> Response:
        body, now = parse_request(DiscardRequest, request.data), timezone.now()
        why: str = body.validated_data["reason"]
        count = operator_actions.discard_many(body.ids(), reason=why, actor=request_actor(request), now=now)
        return Response({"count": count})
