"""How the schema at /api/schema/ learns of requests and answers, and the two pages that show it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from django.core.validators import URLValidator
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts import scopes
from backend.api import fields
from backend.api.staff import fields as staff_fields
from backend.api.words import once
from backend.people import intake

_REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')
_PRINTED = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]"
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": r"^[!#-\[\]-~]{16,255}$"},
    OpenApiParameter.HEADER,
    description="Sent again within a day: the same answer, done once. Another body: 422; worked on: 409.",
)
_TAG = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|"[0-9a-f]{1,32}")$'},
    OpenApiParameter.HEADER,
    description="The `ETag` of what was read; changed since: 412, and nothing is done.",
)
STAFF = "/api/staff/"
STAFFS = """What programs of the practice may ask. Each operation names the scope that its token must have.

401 `not_authenticated`: no token, or one that has ended. 403 `scope_missing`: the token has not the scope. 404: there
is none, or the account's roles do not show it. 400 `invalid`: `errors` names the fields. 409: the state refuses it, and
`code` says why. 412 `changed_since`: what `If-Match` names is not how it stands."""
_SCOPE = "|".join(scopes.ALL)
View = TypeVar("View", bound=type[APIView])


class ProblemAnswer(serializers.Serializer[Any]):
    """Every error: a sentence for a person, a code for a program."""

    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable, snake_case.")
    errors = serializers.DictField(  # type: ignore[assignment]  # hides Serializer.errors, on purpose
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="By field."
    )
    free_slots = serializers.ListField(
        child=serializers.DictField(child=serializers.DateTimeField()),
        required=False,
        help_text="With slot_taken, outside_hours, no_free_slot.",
    )
    has_booking = serializers.BooleanField(required=False, help_text="false, from POST check-status/.")


class MessageAnswer(serializers.Serializer[Any]):
    message = serializers.CharField()


class SupportLineAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    number = serializers.CharField()


class Operation(NamedTuple):
    """One method of a view: its name in the schema, what it takes (a GET: as parameters) and answers."""

    name: str
    answer: type[serializers.Serializer[Any]]
    takes: type[serializers.Serializer[Any]] | OpenApiTypes | None = None
    status: int = 200


def described(**operations: Operation) -> Callable[[View], View]:
    """Decorates a view with one operation per method."""

    def decorate(view: View) -> View:
        headers = [_KEY] if getattr(view, "keeps_answers", False) else []
        headers += [_TAG] if getattr(view, "checks_tag", False) else []
        described_view: View = extend_schema_view(
            **{method: _described(method, it, view, headers=headers) for method, it in operations.items()}
        )(view)
        return described_view

    return decorate


def _described(method: str, operation: Operation, view: type[APIView], *, headers: list[OpenApiParameter]) -> Any:
    taken: Any = operation.takes
    area = getattr(view, "area", None)
    scope = scopes.needed(area, is_reading=method == "get") if area else ""
    return extend_schema(
        operation_id=operation.name,
        description=f"{inspect.getdoc(view)}\n\nScope: `{scope}`." if scope else None,
        extensions={"x-scope": scope} if scope else None,
        parameters=[taken] if taken and method == "get" else _headers(method, headers),
        request=None if method == "get" else taken,
        responses={operation.status: operation.answer, "default": ProblemAnswer},
    )


def _headers(method: str, headers: list[OpenApiParameter]) -> list[OpenApiParameter] | None:
    """A key is of POST alone; what was read is named with every change."""
    if method == "get":
        return None
    return headers if method == "post" else [header for header in headers if header is not _KEY]


class FieldShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Our own fields, which the generator cannot know."""

    target_class = fields.StrictField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, _direction: str) -> dict[str, Any]:
        match self.target:
            case fields.WholeNumberField():
                return {"type": "integer", "minimum": self.target.least, "maximum": self.target.most}
            case fields.ChoiceField(words=type() as words):
                return once(auto_schema, words, may_grow=self.target.may_grow)
            case fields.ChoiceField():
                return {"type": "string", "enum": self.target.values}
            case fields.ConsentField():
                return {"type": "boolean", "enum": [True]}
            case fields.FlagField():
                return {"type": "boolean"}
            case fields.DayField():
                return {"type": "string", "format": "date"}
            case fields.TimeOfDayField():
                return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
            case fields.ClockField():
                return {"type": "string", "pattern": f"^{self.target.PATTERN}$"}
            case fields.ZoneField():
                return {"type": "string", "pattern": "^[A-Za-z0-9_+/-]{1,40}$", "example": "Asia/Kolkata"}
            case fields.InstantField():
                return {"type": "string", "format": "date-time"}
            case staff_fields.RupeesField():
                return {"type": "string", "pattern": r"^[0-9]{1,7}(\.[0-9]{2})?$"}
            case staff_fields.ListedField():
                one = f"({_of_one(self.target.one)})"
                return {"type": "string", "pattern": f"^{one}(,{one}){{0,{self.target.MOST - 1}}}$"}
            case staff_fields.NamesField():
                name = f"({'|'.join(self.target.names)})"
                return {"type": "string", "pattern": f"^{name}(,{name})*$"}
            case staff_fields.MonthField():
                return {"type": "string", "pattern": f"^{self.target.PATTERN}$"}
            case staff_fields.TagField():
                return {"type": "string", "pattern": f"^({self.target.PATTERN})$"}
            case staff_fields.ScopesField():
                return {"type": "string", "pattern": f"^({_SCOPE})( ({_SCOPE}))*$"}
            case staff_fields.PasswordField():
                return {"type": "string", "format": "password", "minLength": 1, "maxLength": 200}
        raise TypeError(f"say here what {type(self.target).__name__} takes")


def _of_one(field: Any) -> str:
    """The pattern of one of several values."""
    match field:
        case fields.ChoiceField():
            return "|".join(field.values)
        case fields.IdField():
            return "[1-9][0-9]{0,8}"
        case fields.LineField():
            return r"MS-[0-9A-HJKMNP-TV-Z]{6}"
    raise TypeError(f"say here what {type(field).__name__} takes")


class LineShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Text, with what its fields refuse beyond its length: blanks alone, what cannot be printed, what is no address."""

    target_class = fields.LineField
    match_subclasses = True

    def map_serializer_field(self, _auto_schema: AutoSchema, _direction: str) -> dict[str, Any]:
        longest = self.target.max_length
        return {"type": "string", **({"maxLength": longest} if longest else {}), **_of_text(self.target)}


def _of_text(field: fields.LineField) -> dict[str, Any]:
    question = getattr(field, "question", None)
    if question == intake.EMAIL:
        return {"minLength": 1, "format": "email"}
    if question == intake.PHONE_NUMBER:
        return {"pattern": r"^([0-9]{10}|\+[1-9][0-9]{7,14})$"}  # other spellings are understood, too
    if any(isinstance(one, URLValidator) for one in field.validators):
        return {"pattern": r"^https://\S+$"}
    if field.has_paragraphs:
        return {} if field.allow_blank else {"minLength": 1, "pattern": r"\S"}
    if field.allow_blank:  # the generator adds the empty text beside a pattern
        return {"pattern": f"^{_PRINTED}+$"}
    return {"minLength": field.min_length or 1, "pattern": rf"^{_PRINTED}*(?!\s){_PRINTED}+$"}


class StaffTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "backend.api.staff.auth.StaffToken"
    name = "staffToken"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token` and a space before what `manage.py staff_token` or staff/login/ gave.",
        }


class Schema(APIView):
    """GET: the public API as OpenAPI 3.1. Staff's own part is at staff/schema/, for staff alone."""

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        return Response(part(is_staffs=False))


@cache
def part(*, is_staffs: bool) -> dict[str, Any]:
    """The public part of the description, or staff's, with what its operations refer to and no more."""
    whole = _schema()
    paths = {path: methods for path, methods in whole["paths"].items() if path.startswith(STAFF) == is_staffs}
    known, named = whole["components"]["schemas"], _named(paths, whole["components"]["schemas"])
    components = {"schemas": {name: shape for name, shape in known.items() if name in named}}
    if is_staffs:
        components["securitySchemes"] = whole["components"]["securitySchemes"]
    info = {**whole["info"], "title": f"{whole['info']['title']}, {'staff' if is_staffs else 'public'}"}
    if is_staffs:
        info["description"] = STAFFS
    return {"openapi": whole["openapi"], "info": info, "paths": paths, "components": components}


def _named(node: Any, known: dict[str, Any]) -> set[str]:
    """The shapes that are referred to, and those that these refer to."""
    found: set[str] = set()
    asked = [node]
    while asked:
        named = {name for name in _REFERENCE.findall(json.dumps(asked.pop())) if name not in found}
        found |= named
        asked.extend(known[name] for name in named)
    return found


@cache
def _schema() -> dict[str, Any]:
    """All of it. It does not change while the process lives, and takes a noticeable part of a second to make."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    schema: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def as_yaml(*, is_staffs: bool) -> str:
    """As it is kept in docs/."""
    text: bytes = OpenApiYamlRenderer().render(part(is_staffs=is_staffs))  # type: ignore[no-untyped-call]
    return text.decode()


class Docs(SpectacularSwaggerView):
    """GET: the public part for people, from files of our own."""

    url_name = "schema"
