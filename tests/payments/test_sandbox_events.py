"""What the sandbox gateway's signed words are read as, and where it may speak."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from backend.core.errors import Code, Refused, Transient
from backend.core.outgoing import fields
from backend.core.outgoing.asking import Answer
from backend.payments import adapters, stamped, written
from backend.payments.gateway import (
    ID_LONGEST,
    Event,
    EventKind,
    RefundOrder,
)
from backend.payments.sandbox import wire
from backend.payments.sandbox.adapter import SandboxGateway
from tests.support.gateway import SECRET

pytestmark = pytest.mark.sqlite_only
BODY = json.dumps({"event_id": "evt_1", "kind": "something_new"}).encode()


@pytest.mark.parametrize(
    ("age", "expected"), [(-301, False), (-300, True), (0, True), (299, True), (300, True), (301, False)]
)
def test_a_signature_is_good_for_five_minutes(age: int, expected: bool) -> None:
    assert stamped.is_signed(BODY, wire.sign(BODY, SECRET, 1_000_000), [SECRET], 1_000_000 + age) is expected


def test_a_genuine_event_of_a_kind_we_do_not_know_is_other() -> None:
    headers = {"x-sandbox-signature": wire.sign(BODY, SECRET, time.time())}
    event = SandboxGateway("http://unused", SECRET).read_event(BODY, headers)
    assert event == Event("evt_1", EventKind.OTHER, None, None)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        "nonsense",
        f"t=9,v1={'0' * 64}",
        f"t=٣,v1={'0' * 64}",
        wire.sign(BODY + b" ", SECRET, time.time()),
        wire.sign(BODY, "another secret", time.time()),
        wire.sign(BODY, SECRET, time.time()) + ",t=0",
        wire.sign(BODY, SECRET, time.time() - 3600),
    ],
    ids=["none", "empty", "blank", "nonsense", "forged", "digits", "other body", "other secret", "appended", "old"],
)
def test_a_body_that_is_not_signed_is_refused_unread(header: str | None) -> None:
    headers = {} if header is None else {"X-Sandbox-Signature": header}
    with pytest.raises(Refused) as refused:
        SandboxGateway("http://unused", SECRET).read_event(BODY, headers)
    assert refused.value.code == Code.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"event_id": "", "kind": "order_captured"}',
        b'{"event_id": "evt_1", "kind": "order_captured"}',
        b'{"event_id": "evt_1", "kind": "order_captured", "report": null}',
        b'{"event_id": "evt_1", "kind": "order_captured", "report": {"reference": "pay_1", "gateway_order_id": "o",'
        b' "state": "captured", "amount_paise": "150000", "currency": "INR", "capture_id": "c"}}',
        b'{"event_id": "evt_1", "kind": "refund_done", "refund": {"reference": "r", "gateway_refund_id": "g",'
        b' "state": "perhaps", "amount_paise": 1}}',
    ],
)
def test_a_signed_body_of_another_shape_is_kept_and_says_why(body: bytes) -> None:
    event = SandboxGateway("http://unused", SECRET).read_event(
        body, {"X-Sandbox-Signature": stamped.sign(body, SECRET, time.time())}
    )
    assert (event.kind, event.report, bool(event.why)) == (EventKind.UNREADABLE, None, True)


LONG, NUL, LONE = "x" * (ID_LONGEST + 1), "c\x00", "\ud800"


def texts_of_an_event(**changes: str) -> bytes:
    report = {"reference": "PAY-1", "gateway_order_id": "o", "capture_id": "c", "state": "captured", "currency": "INR"}
    event = {"event_id": "evt_1", "kind": "order_captured", "report": {**report, "amount_paise": 1, **changes}}
    return json.dumps({**event, **{name: changes[name] for name in ("event_id", "kind") if name in changes}}).encode()


@pytest.mark.parametrize("odd", [LONG, NUL, LONE])
@pytest.mark.parametrize("name", ["event_id", "kind", "reference", "gateway_order_id", "capture_id"])
def test_a_genuine_event_whose_texts_fit_no_column_is_unreadable_and_has_a_name(name: str, odd: str) -> None:
    event = written.read_event(fields.Fields.parse(texts_of_an_event(**{name: odd})))
    assert (event.kind, event.report) == (EventKind.UNREADABLE, None)
    assert (event.event_id == "evt_1") is (name != "event_id")
    assert len(event.event_id) <= 80
    assert event.event_id.isprintable()


def test_a_capture_without_its_id_or_order_is_malformed() -> None:
    for name in ("capture_id", "gateway_order_id"):
        with pytest.raises(fields.Malformed):
            written.read_event(fields.Fields.parse(texts_of_an_event(**{name: ""})))


def test_an_answer_about_another_order_or_with_unfit_texts_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = SandboxGateway("http://unused", SECRET)
    refund = {"reference": "REF-1", "gateway_refund_id": LONG, "state": "done", "amount_paise": 1}
    for told in ({**json.loads(texts_of_an_event())["report"], "reference": "PAY-2"}, refund):
        answer = Answer(200, fields.Fields(told))
        monkeypatch.setattr(gateway, "_ask", lambda *_, answer=answer, **__: answer)
        with pytest.raises(Transient):
            gateway.fetch_order("PAY-1") if "capture_id" in told else gateway.ensure_refund(
                RefundOrder("REF-1", "PAY-1", 1, "INR")
            )


def test_the_sandbox_is_found_by_its_name(settings: Any) -> None:
    settings.DEBUG = True
    assert adapters.gateway_named("sandbox").name == "sandbox"


@pytest.mark.parametrize(("is_allowed", "name"), [(False, "sandbox"), (True, "stripe"), (True, "")])
def test_a_gateway_that_may_not_speak_here_is_refused(settings: Any, is_allowed: bool, name: str) -> None:
    settings.DEBUG, settings.ALLOW_SANDBOX_PAYMENTS = False, is_allowed
    with pytest.raises(Refused) as refused:
        adapters.gateway_named(name)
    assert refused.value.code == Code.PAYMENTS_UNAVAILABLE
