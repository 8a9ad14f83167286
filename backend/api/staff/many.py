"""Many decisions of one kind at once: one answer for each, and each its own transaction."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.api import errors
from backend.api.errors import Problem
from backend.api.fields import LineField
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.actions import BookingAction
from backend.api.staff.auth import StaffView
from backend.api.staff.docs import ManyAnswer
from backend.api.staff.fields import TagField

log = logging.getLogger(__name__)
MOST = 25  # at once, as on the desk: a slot may be searched for each
_LIST = dict.fromkeys(
    ("not_a_list", "min_length", "max_length", "empty", "null", "required", "invalid"),
    f"Please list 1 to {MOST} items.",
)


class Many(StaffView):
    """POST: as the action of this name for each item, in their order; what is refused of one leaves the others.

    A body that cannot be read does nothing at all. The answer is 200 with the status of each. A key replays the answer;
    where a process ended half-way nothing is kept, so send `if_match`, too: what was done is not done twice.
    """

    action: ClassVar[type[BookingAction[Any]]]
    shape: ClassVar[type[serializers.Serializer[Any]]]
    is_one_transaction = False

    def may_act(self) -> bool:
        return self.access.may_act_on_some(self.action.scope)

    def post(self, request: Request) -> Response:
        items = parse_request(self.shape, request.data)
        action = self.action()
        action.request, action.access = self.request, self.access
        parsed = zip(items.initial_data["items"], items.validated_data["items"], strict=True)
        return Response({"items": [self._one(action, sent, given) for sent, given in parsed]})

    def _one(self, action: BookingAction[Any], sent: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """What became of one item."""
        acknowledgement_id = given["acknowledgement_id"]
        told = {"acknowledgement_id": acknowledgement_id, "status": 200, "booking": None, "code": None, "detail": None}
        try:
            body = parse_request(action.shape, sent)
            answer = action.carried_out(acknowledgement_id, body, sent_tag=given["if_match"])
        except Exception as error:  # noqa: BLE001  # a fault in one hides nothing of what became of the others
            problem = _problem(error)
            more = {"errors": problem.more.get("errors"), "free_slots": problem.more.get("free_slots", [])}
            return {**told, "status": problem.status, "code": problem.code, "detail": problem.detail, **more}
        return {**told, "booking": answer.data, "errors": None, "free_slots": []}


def _problem(error: Exception) -> Problem:
    known = errors.problem_of(error)
    if known is None:
        log.error("one of many decisions crashed", exc_info=error)
    return known or errors.crashed()


def many_of(name: str, action: type[BookingAction[Any]]) -> type[Many]:
    """The endpoint for many of an action."""
    kind = action.__name__
    fields = {
        "acknowledgement_id": LineField("Please give the booking's acknowledgement id.", max_length=40),
        "if_match": TagField(),
    }
    item = type(f"{kind}ItemRequest", (action.shape,), {**fields, "__doc__": action.shape.__doc__})
    rows = item(many=True, min_length=1, max_length=MOST, allow_empty=False, error_messages=_LIST)
    shape = type(f"Many{kind}Request", (serializers.Serializer,), {"items": rows, "__doc__": f"Up to {MOST}."})
    namespace = {"action": action, "shape": shape, "area": action.area, "__doc__": Many.__doc__}
    view: type[Many] = type(f"Many{kind}", (Many,), namespace)
    return described(post=Operation(f"staff_many_{name}", ManyAnswer, shape))(view)
