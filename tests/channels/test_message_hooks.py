"""What services report of texts, and what people write back: genuine events count once, forged ones change nothing."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.channels.models import Consent
from backend.channels.names import ChannelName
from backend.outbox.models import Delivery, Message, MessageState
from tests.support import texts
from tests.support.fake_channels import whatsapp
from tests.support.fake_channels.base import FakeChannel, Hook
from tests.support.texts import PHONE

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock", "sandbox_payments")]
Fakes = dict[str, FakeChannel]


def post(channel: str, hook: Hook) -> HttpResponse:
    headers = {name: value for name, value in hook.headers.items() if name != "Content-Type"}
    return Client().post(  # type: ignore[return-value]
        f"/api/hooks/messages/{channel}/", hook.body, content_type="application/json", headers=headers
    )


def texted(channel: str, now: datetime, clock) -> tuple[Message, Message]:  # type: ignore[no-untyped-def]
    """The mail that waits, and the text in its stead, which the service took."""
    booking = texts.confirmed(now, channel)
    due = texts.mail_of(booking).not_before
    text = texts.route(due)
    texts.drain(due)
    clock.move_to(due)
    return texts.mail_of(booking), text


def states(*rows: Message) -> list[tuple[str, str]]:
    found = Message.objects.in_bulk([row.pk for row in rows])
    return [(found[row.pk].state, found[row.pk].delivery) for row in rows]


@pytest.mark.parametrize("channel", ChannelName)
def test_a_report_settles_the_mail_and_comes_again_in_vain(channel, now: datetime, fakes: Fakes, clock) -> None:
    mail, text = texted(channel, now, clock)
    report = fakes[channel].provider.report(fakes[channel].taken[0], "delivered")
    answers = [post(channel, report).json() for _ in range(2)]
    assert [answer["recorded"] for answer in answers] == [1, 0]
    assert states(mail, text) == [(MessageState.DONE, ""), (MessageState.DONE, Delivery.DELIVERED)]


@pytest.mark.parametrize("channel", ChannelName)
def test_a_forged_report_and_a_forged_stop_change_nothing(channel, now: datetime, fakes: Fakes, clock) -> None:
    mail, text = texted(channel, now, clock)
    before, provider, taken = states(mail, text), fakes[channel].provider, fakes[channel].taken[0]
    genuine = provider.report(taken, "failed")
    forged = [
        provider.report(taken, "delivered", forged=True),
        provider.report(taken, "failed", forged=True),
        provider.says(PHONE, "STOP", forged=True),
        Hook({"Content-Type": "application/json"}, genuine.body),
    ]
    assert [post(channel, hook).status_code for hook in forged] == [400] * 4
    if channel != ChannelName.SMS:  # whose service signs no body
        changed = Hook(genuine.headers, genuine.body.replace(b"failed", b"deleted"))
        assert post(channel, changed).status_code == 400
    assert states(mail, text) == before
    assert Consent.objects.get().withdrawn_at is None


@pytest.mark.parametrize("channel", ChannelName)
def test_a_stop_is_heard_at_once_whoever_sends_it_again(channel, now: datetime, fakes: Fakes, clock) -> None:
    texts.confirmed(now, channel)
    provider = fakes[channel].provider
    assert post(channel, provider.says(PHONE, "Thank you, I will stop by")).json()["recorded"] == 0
    assert post(channel, provider.says("+919800000000", "STOP")).json()["recorded"] == 0
    assert Consent.objects.get().withdrawn_at is None
    for said, recorded in (("Stop.", 1), ("बंद करें", 0)):
        assert post(channel, provider.says(PHONE, said)).json()["recorded"] == recorded
    assert (Consent.objects.get().withdrawn_at, Consent.objects.get().withdrawn_by) == (now, "stop")


def test_a_service_says_nothing_of_anothers_messages(now: datetime, fakes: Fakes, clock) -> None:
    mail, text = texted("sms", now, clock)
    (taken,) = fakes["sms"].taken
    for other in ("whatsapp", "custom"):
        answer = post(other, fakes[other].provider.report(taken, "delivered"))
        assert (answer.status_code, answer.json()["recorded"]) == (200, 0)
    assert states(mail, text)[0] == (MessageState.WAITING, "")


@pytest.mark.parametrize("order", [*permutations(["delivered", "read", "failed"])])
def test_reports_come_in_any_order(order: tuple[str, ...], now: datetime, fakes: Fakes, clock) -> None:
    mail, text = texted("whatsapp", now, clock)
    fake = fakes["whatsapp"]
    for outcome in order:
        assert post("whatsapp", fake.provider.report(fake.taken[0], outcome)).status_code == 200
    assert states(text) == [(MessageState.DONE, Delivery.BOUNCED)]
    is_told = order[0] != "failed"
    assert states(mail)[0][0] == (MessageState.DONE if is_told else MessageState.WAITING)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"entry": 1}', b'{"type": "message.delivered"}', b"\xff"])
@pytest.mark.parametrize("channel", ChannelName)
def test_what_is_genuine_and_cannot_be_read_need_not_come_again(channel, content: bytes, fakes: Fakes, clock) -> None:
    hook = {"whatsapp": lambda: whatsapp.signed(content, whatsapp.APP_SECRET)}.get(channel)
    if hook is None:
        shown = fakes[channel].provider.says(PHONE, "hello").headers
        if "webhook-signature" in shown:
            return  # only what its own library signs is genuine
        hook = lambda: Hook(shown, content)  # noqa: E731
    answer = post(channel, hook())
    assert (answer.status_code, answer.json()) == (200, {"message": "Recorded.", "recorded": 0})


def test_meta_is_answered_what_it_asks_if_it_shows_what_we_made_up(fakes: Fakes) -> None:
    def ask(channel: str, **given: str) -> HttpResponse:
        return Client().get(f"/api/hooks/messages/{channel}/", {f"hub.{name}": said for name, said in given.items()})  # type: ignore[return-value]

    good = {"mode": "subscribe", "challenge": "1158201444", "verify_token": whatsapp.VERIFY_TOKEN}
    answer = ask("whatsapp", **good)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"1158201444", "text/plain")
    for wrong in ({"verify_token": "x" * 24}, {"mode": "unsubscribe"}, {"challenge": "<script>"}):
        assert ask("whatsapp", **{**good, **wrong}).status_code == 400
    assert ask("sms", **good).status_code == 404


def test_what_is_not_configured_has_no_address(settings, fakes: Fakes) -> None:
    settings.MSG91_AUTH_KEY = settings.WHATSAPP_TOKEN = ""
    for channel in ("sms", "pigeon"):
        assert post(channel, Hook({}, b"{}")).status_code == 404
    assert Client().get("/api/hooks/messages/whatsapp/").status_code == 404


def test_a_body_in_chunks_is_bounded_too(fakes: Fakes, settings) -> None:
    big = Hook({"Transfer-Encoding": "chunked"}, b" " * (settings.MAX_BODY_BYTES + 1))
    assert post("sms", big).status_code == 413
