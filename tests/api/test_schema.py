"""The schema: made without a warning, true of what is really answered, and shown from files of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from rest_framework.utils import encoders

from backend.api import schema as docs
from backend.bookings.lifecycle import refunds
from backend.bookings.machine import State
from backend.bookings.models import Purpose
from backend.bookings.notices import Notice
from backend.people.models import Corporate, Location
from config.local import readme
from tests.support import api, factories, scenarios, shapes, working_hours
from tests.support.scenarios import RAVI
from tests.support.staff_api import BOOKINGS, PASSWORD, STAFF, VIEW, account, desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.fixture
def schema() -> dict[str, Any]:
    """All of it."""
    described: dict[str, Any] = json.loads(json.dumps(docs._schema(), cls=encoders.JSONEncoder))
    return described


def test_it_is_generated_without_a_warning_and_is_valid() -> None:
    GENERATOR_STATS.reset()
    call_command("spectacular", fail_on_warn=True, validate=True, stdout=StringIO())


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", path)
        else:
            yield from routes(pattern, path)


def test_it_describes_every_address_of_the_api_but_its_own(schema: dict[str, Any]) -> None:
    addresses = {route for route in routes(get_resolver()) if route.startswith("/api/")}
    assert addresses - set(schema["paths"]) == {"/api/schema/", "/api/staff/schema/", "/api/docs/"}
    assert set(schema["paths"]) <= addresses


def test_names_of_operations_are_unique_and_staffs_are_guarded(schema: dict[str, Any]) -> None:
    operations = [(path, operation) for path, methods in schema["paths"].items() for operation in methods.values()]
    names = [operation["operationId"] for _, operation in operations]
    assert len(names) == len(set(names))
    for path, operation in operations:
        is_guarded = path.startswith(STAFF) and not path.endswith("login/")
        assert operation.get("security", []) == ([{"staffToken": []}] if is_guarded else [])
        assert "default" in operation["responses"]


def test_the_generator_refuses_a_field_that_nobody_described() -> None:
    class NewField(docs.fields.StrictField):
        """A field of tomorrow."""

    with pytest.raises(TypeError, match="NewField"):
        docs.FieldShape(NewField("Please.")).map_serializer_field(None, "request")


# -- is it true? ------------------------------------------------------------------------------------------------------


def strictly(node: Any) -> Any:
    """The same schema, in which an object may hold nothing that is not named."""
    if isinstance(node, list):
        return [strictly(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    inner = {name: strictly(value) for name, value in node.items()}
    if "properties" in inner and inner.get("type") == "object":
        inner["additionalProperties"] = False
    return inner


def check(schema: dict[str, Any], method: str, path: str, response: Any) -> None:
    """The answer has the shape that the schema promises for this operation and status."""
    answers = schema["paths"][path][method.lower()]["responses"]
    promised = answers.get(str(response.status_code)) or answers["default"]
    assert (str(response.status_code) in answers) == (response.status_code < 300)
    shape = promised["content"]["application/json"]["schema"]
    shapes.validator({**strictly(shape), "components": strictly(schema["components"])}).validate(response.json())


@pytest.mark.parametrize("state", [state for state in State if state != State.DRAFT])
def test_a_status_is_what_it_says(schema: dict[str, Any], state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    query = {"acknowledgement_id": booking.acknowledgement_id}
    check(schema, "GET", "/api/bookings/check-status/", api.get(api.STATUS, query))
    check(schema, "GET", "/api/bookings/check-status/", api.get(api.STATUS, {}))


def test_the_visitors_answers_are_what_it_says(schema: dict[str, Any], now: datetime) -> None:
    def post(path: str, body: dict[str, Any]) -> None:
        check(schema, "POST", path, api.post(path, body))

    post(api.DRAFT, api.form(now))
    post(api.DRAFT, {})
    booking = scenarios.confirmed(RAVI, now=now, at=now + timedelta(days=5))
    token = {"token": scenarios.token_of(booking, Notice.BOOKING_CONFIRMED)}
    post(api.VERIFY, token)
    check(schema, "GET", api.VERIFY, api.get(api.VERIFY, token))
    post(api.STATUS, {"email": RAVI})
    post(api.STATUS, {"email": 7})
    post(api.INITIATE, {"acknowledgement_id": booking.acknowledgement_id})
    waiting = scenarios.approved("third@example.org", now=now, who=booking.psychologist)
    post(api.INITIATE, {"acknowledgement_id": waiting.acknowledgement_id})
    post(api.COMPLETE, {"payment_reference": "PAY-1"})
    post(api.ASK_TO_CANCEL, {"acknowledgement_id": booking.acknowledgement_id})
    token = {"token": scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)}
    post(api.VERIFY_CANCEL, token)
    check(schema, "GET", api.VERIFY_CANCEL, api.get(api.VERIFY_CANCEL, token))
    post(api.SEND_EMAIL, {"text": "words"})
    for path in (*api.PINGS[1:], api.SUPPORT):
        check(schema, "GET", path, api.get(path))


@pytest.mark.parametrize("state", State)
def test_what_staff_see_of_a_booking_is_what_it_says(schema: dict[str, Any], state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now, corporate=Corporate.objects.create(name="Acme"))
    staff, one = desk(), f"{BOOKINGS}{{acknowledgement_id}}/"
    check(schema, "GET", BOOKINGS, staff.get())
    check(schema, "GET", one, staff.get(f"{booking.acknowledgement_id}/"))
    check(schema, "POST", f"{one}cancel/", staff.act(booking, "cancel"))


def test_the_rest_of_what_staff_see_is_what_it_says(schema: dict[str, Any], now: datetime) -> None:
    staff, one = desk(), f"{BOOKINGS}{{acknowledgement_id}}/"
    scenarios.psychologist("Dr. Other", location=Location.objects.create(name="Baner", address="12 Baner Road"))
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    check(schema, "GET", one, staff.get(f"{booking.acknowledgement_id}/"))
    check(schema, "GET", one, staff.get("MS-000000/"))
    for name in ("psychologists", "locations", "corporates"):
        check(schema, "GET", f"{STAFF}{name}/", staff.get(f"{STAFF}{name}/"))
    second = scenarios.pending(RAVI, now=now)
    taken = {"psychologist_id": booking.psychologist_id, "slot_start": booking.slot_start.isoformat()}
    check(schema, "POST", f"{one}approve/", staff.act(second, "approve", taken))
    check(schema, "POST", f"{one}approve/", staff.act(second, "approve", {"auto": True}))
    working_hours.psychologist("Dr. Hours")
    check(schema, "GET", f"{one}suggestions/", staff.get(f"{second.acknowledgement_id}/suggestions/"))
    check(schema, "POST", f"{one}follow-up/", staff.act(booking, "follow-up", {"count": 2, "preview": True}))
    check(schema, "POST", f"{one}follow-up/", staff.act(booking, "follow-up", {"slot_starts": [taken["slot_start"]]}))
    check(schema, "POST", f"{one}follow-up/", staff.act(booking, "follow-up", {"count": 2}))
    tried = {"first_start": (booking.slot_start + timedelta(days=1)).isoformat(), "preview": True}
    check(schema, "POST", f"{one}move-series/", staff.act(booking, "move-series", tried))
    check(schema, "POST", f"{one}cancel-series/", staff.act(booking, "cancel-series", {"preview": True}))
    check(schema, "POST", f"{one}reject/", staff.act(second, "reject", {"alternatives": [taken]}))
    type(second).objects.filter(pk=second.pk).update(
        corporate=Corporate.objects.create(name="Acme", sessions_a_month=3)
    )
    check(schema, "GET", one, staff.get(f"{second.acknowledgement_id}/"))
    check(schema, "POST", BOOKINGS, staff.post("", api.form(now)))
    account("someone", VIEW, password=PASSWORD)
    login = api.post(f"{STAFF}login/", {"username": "someone", "password": PASSWORD})
    check(schema, "POST", f"{STAFF}login/", login)
    for name in ("logoutall", "logout"):
        check(schema, "POST", f"{STAFF}{name}/", staff.post(f"{STAFF}{name}/"))


# -- can a client be made of it? --------------------------------------------------------------------------------------


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in it."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


def test_no_list_of_choices_has_a_default_beside_it(schema: dict[str, Any]) -> None:
    """One that the list does not hold, such as the empty text, makes generators leave out the whole operation."""
    wrong = [node for node in nodes(schema) if "default" in node and ("enum" in node or "$ref" in str(node))]
    assert [node for node in wrong if not shapes.validator({**node, **parts(schema)}).is_valid(node["default"])] == []


def parts(schema: dict[str, Any]) -> dict[str, Any]:
    """What references lead to."""
    return {"components": schema["components"]}


def test_the_words_of_one_enumeration_are_one_type(schema: dict[str, Any]) -> None:
    inline = [str(node["enum"]) for node in nodes(schema["paths"]) if "enum" in node]
    whole = schema["components"]["schemas"].items()
    inline += [str(node["enum"]) for _, shape in whole for node in nodes(shape.get("properties")) if "enum" in node]
    public, staffs = ["['GET', 'POST']", "['none', 'full']", "[True]"], ["['rules', 'full', 'none']", "[True]"]
    assert sorted(inline) == sorted([*public, *staffs])


@pytest.mark.parametrize(("name", "may_grow"), [("NextStep", True), ("VisitorAction", True), ("State", False)])
def test_a_list_that_may_grow_admits_a_word_of_tomorrow(schema: dict[str, Any], name: str, *, may_grow: bool) -> None:
    shape = shapes.validator(schema["components"]["schemas"][name])
    assert shape.is_valid("tomorrow") is may_grow
    assert not shape.is_valid(1)


# -- does it say what is refused? --------------------------------------------------------------------------------------


def takes(schema: dict[str, Any], name: str, body: dict[str, Any]) -> bool:
    shape = {**schema["components"]["schemas"][name], "components": schema["components"]}
    return shapes.validator(shape, formats=True).is_valid(body)


REFUSED: list[dict[str, Any]] = [
    *({name: text} for name in ("full_name", "city", "country", "emergency_contact") for text in ("", "  ", "a\x00b")),
    *({"email": text} for text in ("", " ", "no address")),
    *({"phone_number": text} for text in ("", "x", "98765")),
    *({"preferred_time_start": text} for text in ("29:00", "12:60", "noon")),
    *({"full_name": "J"}, {"sponsor_code": "a\nb"}, {"state": "a\x07b"}),
]


@pytest.mark.parametrize("change", REFUSED, ids=str)
def test_it_refuses_of_a_draft_what_the_service_refuses(
    schema: dict[str, Any], change: dict[str, Any], now: datetime
) -> None:
    body = {
        **api.form(now),
        "preferred_period": "CUSTOM",
        "preferred_time_start": "10:00",
        "preferred_time_end": "12:00",
    }
    assert takes(schema, "DraftRequest", body)
    assert takes(schema, "DraftRequest", body | {"notice_version": None})
    assert not takes(schema, "DraftRequest", body | change)
    api.error(api.post(api.DRAFT, body | change), 400, "invalid")


@pytest.mark.parametrize(
    ("name", "body", "wrong"),
    [
        ("FollowUpRequest", {"slot_starts": ["2026-11-24T17:30:00+05:30"]}, {"slot_starts": []}),
        ("FollowUpRequest", {"amount": "1500.00"}, {"amount": "99999999.00"}),
        (
            "ApprovalRequest",
            {"meeting_link": "https://meet.example.org/x"},
            {"meeting_link": "http://meet.example.org"},
        ),
        ("ApprovalRequest", {"meeting_link": ""}, {"meeting_link": " "}),
        ("TokenRequest", {"token": "x"}, {"token": " "}),
        ("AcknowledgementRequest", {"acknowledgement_id": "MS-7K2M9P"}, {"acknowledgement_id": ""}),
        ("EnquiryRequest", {"text": "a\nb"}, {"text": "\n "}),
        ("EnquiryRequest", {"text": "x", "subject": ""}, {"text": "x", "subject": "a\nb"}),
    ],
)
def test_it_takes_what_is_meant_and_refuses_what_the_service_refuses(
    schema: dict[str, Any], name: str, body: dict[str, Any], wrong: dict[str, Any]
) -> None:
    assert takes(schema, name, body)
    assert not takes(schema, name, wrong)


# -- its pages --------------------------------------------------------------------------------------------------------


def test_the_docs_are_a_page_that_loads_nothing_from_elsewhere() -> None:
    response = api.get("/api/docs/", origin="")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    text = response.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/static/drf_spectacular_sidecar/swagger-ui-dist/")
        assert finders.find(address.removeprefix("/static/"))
    assert "http://" not in text
    assert "https://" not in text
    assert '"validatorUrl": null' in text  # otherwise the page sends the schema's address to validator.swagger.io
    assert "/api/schema/" in text


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/"])
def test_errors_of_these_pages_are_json_like_all_others(path: str) -> None:
    api.error(api.post(path, {}), 405, "method_not_allowed")
    api.error(api.get(path[:-1]), 404, "not_found")


def test_the_schema_is_made_once(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(docs, "SchemaGenerator")
    public, staffs = api.done(api.get("/api/schema/")), api.done(desk().get(f"{STAFF}schema/"))
    assert public["paths"] | staffs["paths"] == schema["paths"]


# -- its parts, as they are kept ---------------------------------------------------------------------------------------


def test_the_kept_descriptions_are_what_the_code_says() -> None:
    for path, described in readme.descriptions().items():
        assert path.read_text() == described, "run `make readme`"


def test_nothing_of_staffs_part_is_public(schema: dict[str, Any]) -> None:
    public = api.done(api.get("/api/schema/"))
    assert "staff" not in json.dumps([public["paths"], public["components"]]).lower()
    assert public["components"].keys() == {"schemas"}
    api.error(api.get(f"{STAFF}schema/"), 401, "not_authenticated")


@pytest.mark.parametrize("is_staffs", [False, True])
def test_each_part_has_the_shapes_that_it_names_and_no_other(is_staffs: bool) -> None:
    text = docs.as_yaml(is_staffs=is_staffs)
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named == docs.part(is_staffs=is_staffs)["components"]["schemas"].keys()


def test_each_post_that_takes_a_key_says_so(schema: dict[str, Any]) -> None:
    takes_none = {"/api/staff/login/", "/api/staff/logout/", "/api/staff/logoutall/"}
    takes_none |= {f"{BOOKINGS}{{acknowledgement_id}}/{name}/" for name in ("reveal-phone", "room")}
    takes_none |= {f"{STAFF}clients/{{row_id}}/erasure/"}
    takes_none |= {f"{STAFF}webhooks/", f"{STAFF}webhooks/{{row_id}}/rotate-secret/"}
    posts = {path: methods["post"] for path, methods in schema["paths"].items() if "post" in methods}
    silent = {path for path, post in posts.items() if "Idempotency-Key" not in str(post.get("parameters"))}
    assert {path for path in silent if not path.startswith("/api/hooks/")} == takes_none  # services sign what they send
