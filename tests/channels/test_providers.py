"""What each provider says in words of its own: whose fault a refusal is, its challenge, its older reports."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.utils.datastructures import CaseInsensitiveMapping

from backend.channels import adapters
from backend.channels.channel import (
    Channel,
    ChannelName,
    ChannelReport,
    ChannelTrouble,
    StopRequest,
    Template,
    TemplateMessage,
)
from backend.channels.whatsapp import WhatsApp
from backend.core.errors import Code, OutsideFailure, Permanent, Refused, Transient
from backend.outbox.models import Delivery
from tests.support.fake_channels import msg91, whatsapp
from tests.support.fake_channels.base import Answer, FakeChannel, Hook

pytestmark = pytest.mark.sqlite_only
KEY, PHONE = UUID("3d6f1c52-9a0b-4c8e-8f5a-1b2c3d4e5f60"), "+919876543210"
MESSAGE = TemplateMessage(Template.SESSION_IMMINENT, "en", ("Monday 23 November", "10:00"))
only_whatsapp = pytest.mark.parametrize("fake", ["whatsapp"], indirect=True)
only_sms = pytest.mark.parametrize("fake", ["sms"], indirect=True)


def channel_of(fake: FakeChannel) -> Channel:
    return adapters.channel(ChannelName(fake.provider.name))


def failure(fake: FakeChannel, answer: Answer) -> OutsideFailure:
    fake.refuses[PHONE] = answer
    with pytest.raises(OutsideFailure) as failed:
        channel_of(fake).send(MESSAGE, phone=PHONE, key=KEY)
    assert not fake.taken
    return failed.value


def read(fake: FakeChannel, hook: Hook, now: datetime) -> list[ChannelReport | StopRequest]:
    return channel_of(fake).read(hook.body, CaseInsensitiveMapping(hook.headers), now=now)


@only_whatsapp
@pytest.mark.parametrize("code", [131026, 131021, 131030, 131049, 131050, 130472, 130497, 131009, 100])
def test_whatsapp_cannot_reach_this_person(fake: FakeChannel, code: int) -> None:
    failed = failure(fake, whatsapp.error(code))
    assert isinstance(failed, Permanent)
    assert failed.surely_not_sent


@only_whatsapp
@pytest.mark.parametrize("code", [130429, 131056, 80007, 4])
def test_whatsapps_limits_come_as_400_and_are_limits_all_the_same(fake: FakeChannel, code: int) -> None:
    failed = failure(fake, whatsapp.error(code))
    assert type(failed) is Transient
    assert failed.surely_not_sent


@only_whatsapp
@pytest.mark.parametrize(
    ("code", "status"),
    [
        *((132001, 404), (132015, 400), (132016, 400), (132000, 400), (132012, 400)),  # the template
        *((190, 401), (10, 403), (368, 403), (131031, 403), (131042, 400), (131048, 400), (133010, 400)),  # the account
        (999999, 400),  # whatever Meta thinks of next
    ],
)
def test_a_template_that_is_paused_or_an_account_in_trouble_is_trouble_of_whatsapp(
    fake: FakeChannel, code: int, status: int
) -> None:
    failed = failure(fake, whatsapp.error(code, status=status))
    assert isinstance(failed, ChannelTrouble)
    assert failed.surely_not_sent


@only_whatsapp
@pytest.mark.parametrize(("code", "status"), [(1, 400), (2, 503), (131000, 500), (131016, 500)])
def test_what_whatsapp_itself_does_not_know_may_have_left(fake: FakeChannel, code: int, status: int) -> None:
    failed = failure(fake, whatsapp.error(code, status=status))
    assert type(failed) is Transient
    assert not failed.surely_not_sent


@only_whatsapp
def test_a_refusal_without_a_number_is_trouble_of_whatsapp(fake: FakeChannel) -> None:
    assert isinstance(failure(fake, (400, {"message": "what"})), ChannelTrouble)


@only_whatsapp
def test_trouble_of_the_account_that_comes_as_a_report_is_logged_for_staff(
    fake: FakeChannel, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    channel_of(fake).send(MESSAGE, phone=PHONE, key=KEY)
    provider = whatsapp.WhatsApp()
    for code, lines in ((131026, 0), (130429, 0), (132015, 1), (131042, 1)):
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            [report] = read(fake, provider.report(fake.taken[-1], "failed", code=code), now)
        assert isinstance(report, ChannelReport)
        assert report.delivery == Delivery.BOUNCED
        assert [str(code) in line for line in caplog.messages] == [True] * lines


@only_whatsapp
def test_what_was_read_was_delivered(fake: FakeChannel, now: datetime) -> None:
    channel_of(fake).send(MESSAGE, phone=PHONE, key=KEY)
    [report] = read(fake, fake.provider.report(fake.taken[-1], "read"), now)
    assert report == ChannelReport(KEY, fake.taken[-1].id, Delivery.DELIVERED)


@only_whatsapp
def test_of_many_reports_in_one_request_each_is_read(fake: FakeChannel, now: datetime) -> None:
    keys = [uuid4() for _ in range(3)]
    statuses: list[dict[str, Any]] = [{"id": f"w{n}", "status": "delivered"} for n in range(3)]
    for status, key in zip(statuses, keys, strict=True):
        status["biz_opaque_callback_data"] = str(key)
    statuses[1]["biz_opaque_callback_data"] = "another application's"
    messages = [{"type": "image"}, {"from": "919876543210", "type": "text", "text": {"body": "stop"}}]
    values: list[dict[str, Any]] = [{"statuses": statuses}, {"messages": messages}, {"errors": [{"code": 1}]}]
    told = {"entry": [{"changes": [{"value": value} for value in values]}, {"changes": []}]}
    found = read(fake, whatsapp.signed(json.dumps(told).encode(), whatsapp.APP_SECRET), now)
    assert [one.message_uuid for one in found if isinstance(one, ChannelReport)] == [keys[0], None, keys[2]]
    assert found[-1] == StopRequest(PHONE)


@only_whatsapp
def test_metas_challenge_is_answered_to_who_shows_what_we_made_up(fake: FakeChannel) -> None:
    channel = channel_of(fake)
    assert isinstance(channel, WhatsApp)
    asked = {"hub.mode": "subscribe", "hub.verify_token": whatsapp.VERIFY_TOKEN, "hub.challenge": "1158201444"}
    assert channel.challenge(asked) == "1158201444"
    for change in (
        {"hub.verify_token": "guessed"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>"},
    ):
        with pytest.raises(Refused) as refused:
            channel.challenge({**asked, **change})
        assert refused.value.code == Code.SIGNATURE_INVALID


@only_sms
@pytest.mark.parametrize(
    "answer",
    [
        (200, {"message": "Invalid mobile number", "type": "error"}),
        (400, {"message": "Please provide valid mobile no.", "type": "error", "code": "202"}),
        (400, {"message": "recipients are not valid", "type": "error"}),
    ],
)
def test_msg91_knows_no_such_number(fake: FakeChannel, answer: Answer) -> None:
    failed = failure(fake, answer)
    assert isinstance(failed, Permanent)
    assert failed.surely_not_sent


@only_sms
@pytest.mark.parametrize(
    "answer",
    [
        (401, {"status": "fail", "hasError": True, "errors": "Unauthorized", "code": "201"}),
        (200, {"message": "template is not approved", "type": "error", "code": "211"}),
        (418, {"message": "IP is not whitelisted", "type": "error", "code": "418"}),
        (200, {"message": "Insufficient balance", "type": "error", "code": 301}),
        (200, {"message": "what it thinks of next", "type": "error"}),
        (400, {}),
    ],
)
def test_msg91_takes_nothing_from_us(fake: FakeChannel, answer: Answer) -> None:
    failed = failure(fake, answer)
    assert isinstance(failed, ChannelTrouble)
    assert failed.surely_not_sent


@only_sms
def test_what_msg91_calls_the_same_request_was_taken_before(fake: FakeChannel) -> None:
    failed = failure(fake, (200, {"message": "Duplicate request", "type": "error", "code": "311"}))
    assert type(failed) is Transient
    assert not failed.surely_not_sent


@only_sms
def test_msg91s_older_reports_and_its_numbers_are_read(fake: FakeChannel, now: datetime) -> None:
    shown = {"X-Webhook-Secret": msg91.SECRET}
    older = {"requestId": "346130", "CRQID": "0", "number": "919876543210", "status": "1", "desc": "DELIVERED"}
    assert read(fake, Hook(shown, json.dumps(older).encode()), now) == [
        ChannelReport(None, "346130", Delivery.DELIVERED)
    ]
    several = [{**older, "status": status} for status in ("2", "9", "16", "25", "17", "Rejected", "8", "")]
    several.insert(1, {"text": "stop", "from": 919876543210})  # cannot be read, and hides no other
    found = read(fake, Hook(shown, json.dumps(several).encode()), now)
    assert found == [ChannelReport(None, "346130", Delivery.BOUNCED)] * 6


@only_sms
def test_msg91_may_log_in_by_what_stands_in_the_address(fake: FakeChannel, now: datetime) -> None:
    by_address = msg91.Msg91(logs_in=True)
    assert read(fake, by_address.says(PHONE, "STOP"), now) == [StopRequest(PHONE)]
    with pytest.raises(Refused):
        read(fake, by_address.says(PHONE, "STOP", forged=True), now)


@only_sms
def test_a_wrong_log_in_is_not_saved_by_a_right_header(fake: FakeChannel, now: datetime) -> None:
    hook = msg91.Msg91(logs_in=True).says(PHONE, "STOP", forged=True)
    with pytest.raises(Refused):
        read(fake, Hook({**hook.headers, "X-Webhook-Secret": msg91.SECRET}, hook.body), now)


def test_no_secret_shows_in_what_an_account_says_of_itself(
    fakes: dict[str, FakeChannel], settings: LazySettings
) -> None:
    secrets = (
        *(settings.WHATSAPP_TOKEN, settings.WHATSAPP_APP_SECRET, settings.WHATSAPP_VERIFY_TOKEN),
        *(settings.MSG91_AUTH_KEY, settings.MSG91_WEBHOOK_SECRET, settings.CUSTOM_CHANNEL_SECRET),
    )
    for name in ChannelName:
        told = repr(vars(adapters.channel(name))["_account"])
        assert not any(secret in told for secret in secrets)
