"""What is asked of every channel, over its provider's own HTTP: what leaves, what a failure says, what is believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
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
from backend.core.errors import Code, Permanent, Refused, Transient, Unreadable
from backend.outbox.models import Delivery
from tests.support.fake_channels import signing
from tests.support.fake_channels.base import FAILS, HANGS, HANGS_UP, FakeChannel, Hook, Taken
from tests.support.server import free_port

pytestmark = pytest.mark.sqlite_only
KEY, PHONE = UUID("3d6f1c52-9a0b-4c8e-8f5a-1b2c3d4e5f60"), "+919876543210"
MESSAGE = TemplateMessage(Template.SESSION_APPROACHING, "hi", ("सोमवार 23 नवंबर", "10:00"))


def channel_of(fake: FakeChannel) -> Channel:
    return adapters.channel(ChannelName(fake.provider.name))


def send(fake: FakeChannel, phone: str = PHONE) -> str:
    return channel_of(fake).send(MESSAGE, phone=phone, key=KEY)


def sent(fake: FakeChannel) -> Taken:
    send(fake)
    return fake.taken[-1]


def read(fake: FakeChannel, hook: Hook, *, now: datetime) -> list[ChannelReport | StopRequest]:
    return channel_of(fake).read(hook.body, CaseInsensitiveMapping(hook.headers), now=now)


def test_a_template_and_its_variables_leave_and_nothing_else(fake: FakeChannel) -> None:
    number = send(fake)
    [taken] = fake.taken
    assert (taken.id, taken.key, taken.phone) == (number, str(KEY), PHONE)
    assert (taken.template, taken.language, taken.variables) == (MESSAGE.template, "hi", MESSAGE.variables)


def test_each_way_to_lose_an_answer_leaves_open_whether_it_was_taken(fake: FakeChannel) -> None:
    for trouble in (FAILS, HANGS_UP, HANGS, 502):
        fake.trouble.append(trouble)
        with pytest.raises(Transient) as failed:
            send(fake)
        assert not isinstance(failed.value, ChannelTrouble)
        assert not failed.value.surely_not_sent, trouble
    assert len(fake.taken) == 3  # all but the last, which nobody can know


def test_a_limit_of_the_provider_says_that_it_was_not_taken(fake: FakeChannel) -> None:
    fake.trouble.append(429)
    with pytest.raises(Transient) as failed:
        send(fake)
    assert failed.value.surely_not_sent
    assert not isinstance(failed.value, ChannelTrouble)
    assert not fake.taken


def test_what_never_left_is_said_to_be_so(fake: FakeChannel, settings: LazySettings) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings.WHATSAPP_URL = settings.MSG91_URL = settings.CUSTOM_CHANNEL_URL = nowhere
    with pytest.raises(Transient) as failed:
        send(fake)
    assert failed.value.surely_not_sent


def test_a_key_that_it_does_not_know_is_trouble_of_the_channel(fake: FakeChannel, settings: LazySettings) -> None:
    settings.WHATSAPP_TOKEN = settings.MSG91_AUTH_KEY = "wrong-key-of-tests"
    settings.CUSTOM_CHANNEL_SECRET = "whsec_" + "QUFB" * 11
    with pytest.raises(ChannelTrouble) as failed:
        send(fake)
    assert failed.value.surely_not_sent
    assert PHONE.removeprefix("+") not in str(failed.value)


def test_a_server_of_ones_own_need_not_name_the_message(fake: FakeChannel) -> None:
    fake.trouble.append(201)  # and an object that says nothing of a message
    if fake.provider.name == "custom":
        assert send(fake) == ""
        return
    with pytest.raises(Unreadable) as failed:  # of the others nobody knows what they did
        send(fake)
    assert not failed.value.surely_not_sent


@pytest.mark.parametrize(("outcome", "delivery"), [("delivered", Delivery.DELIVERED), ("failed", Delivery.BOUNCED)])
def test_a_report_names_the_message_by_our_key_and_by_its_own(
    fake: FakeChannel, now: datetime, outcome: str, delivery: Delivery
) -> None:
    with time_machine.travel(now):
        taken = sent(fake)
        [report] = read(fake, fake.provider.report(taken, outcome), now=now)
    assert report == ChannelReport(KEY, taken.id, delivery)


def test_what_says_neither_is_of_no_use(fake: FakeChannel, now: datetime) -> None:
    with time_machine.travel(now):
        assert read(fake, fake.provider.report(sent(fake), "sent"), now=now) == []


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop. ", "Stop please", "UNSUBSCRIBE", "बंद", "बंद करो", "roko", "cancel"]
)
def test_who_writes_back_to_stop_is_heard(fake: FakeChannel, now: datetime, text: str) -> None:
    with time_machine.travel(now):
        assert read(fake, fake.provider.says(PHONE, text), now=now) == [StopRequest(PHONE)]


@pytest.mark.parametrize(
    "text", ["", "Please do not stop", "stopped by", "Can I cancel tomorrow?", "ठीक है", "end of March"]
)
def test_who_writes_anything_else_is_not(fake: FakeChannel, now: datetime, text: str) -> None:
    with time_machine.travel(now):
        assert read(fake, fake.provider.says(PHONE, text), now=now) == []


@pytest.mark.parametrize("number", ["", "123", "0123456789", "not-a-number", "+" + "9" * 16])
def test_what_is_no_telephone_number_stops_nothing(fake: FakeChannel, now: datetime, number: str) -> None:
    with time_machine.travel(now):
        assert read(fake, fake.provider.says(number, "STOP"), now=now) == []


def forgeries(genuine: Hook, forged: Hook) -> list[tuple[bytes, Mapping[str, str]]]:
    without = {"Content-Type": "application/json"}
    shortened = {name: value[:-1] for name, value in genuine.headers.items()}
    empty = dict.fromkeys(genuine.headers, "")
    odd = {name: "\udcff" + value for name, value in genuine.headers.items()}
    return [(forged.body, forged.headers), *((genuine.body, headers) for headers in (without, shortened, empty, odd))]


def test_what_is_not_the_providers_is_refused_and_read_no_further(fake: FakeChannel, now: datetime) -> None:
    with time_machine.travel(now):
        taken, provider = sent(fake), fake.provider
        for genuine, forged in (
            (provider.report(taken, "failed"), provider.report(taken, "failed", forged=True)),
            (provider.says(PHONE, "STOP"), provider.says(PHONE, "STOP", forged=True)),
        ):
            assert read(fake, genuine, now=now)
            for body, headers in forgeries(genuine, forged):
                with pytest.raises(Refused) as refused:
                    channel_of(fake).read(body, CaseInsensitiveMapping(headers), now=now)
                assert refused.value.code == Code.SIGNATURE_INVALID


@pytest.mark.parametrize("fake", ["whatsapp", "custom"], indirect=True)
def test_one_byte_more_or_another_is_not_what_was_signed(fake: FakeChannel, now: datetime) -> None:
    with time_machine.travel(now):
        hook = fake.provider.report(sent(fake), "failed")
        for body in (hook.body + b" ", hook.body.replace(b"failed", b"foiled"), b""):
            with pytest.raises(Refused):
                read(fake, Hook(hook.headers, body), now=now)


@pytest.mark.parametrize("fake", ["custom"], indirect=True)
def test_what_was_signed_long_ago_is_not_believed_again(fake: FakeChannel, now: datetime) -> None:
    with time_machine.travel(now):
        hook = fake.provider.says(PHONE, "STOP")
    for later in (timedelta(minutes=6), -timedelta(minutes=6)):
        with pytest.raises(Refused):
            read(fake, hook, now=now + later)


def test_genuine_junk_is_read_as_nothing(fake: FakeChannel, now: datetime, junk_hooks: list[bytes]) -> None:
    with time_machine.travel(now):
        for body in junk_hooks:
            assert read(fake, signing.genuine(fake.provider, body), now=now) == []


def test_nothing_is_configured_unless_it_is_said(settings: LazySettings) -> None:
    assert adapters.configured() == ()
    for name in ChannelName:
        with pytest.raises(LookupError):
            adapters.channel(name)


def test_those_that_are_configured_have_their_order_and_their_languages(fakes: dict[str, FakeChannel]) -> None:
    assert adapters.configured() == tuple(ChannelName)
    assert all(adapters.channel(name).languages == {"en", "hi"} for name in ChannelName)


@pytest.mark.parametrize("fake", ["whatsapp", "sms"], indirect=True)  # the other has the texts
def test_a_language_that_is_not_registered_is_trouble_and_no_crash(fake: FakeChannel, settings: LazySettings) -> None:
    for name in ("WHATSAPP_TEMPLATES", "MSG91_TEMPLATES"):
        setattr(settings, name, [one for one in getattr(settings, name) if ".en=" in one])
    assert channel_of(fake).languages == {"en"}
    with pytest.raises(ChannelTrouble) as failed:
        channel_of(fake).send(MESSAGE, phone=PHONE, key=uuid4())
    assert failed.value.surely_not_sent
    assert not fake.asked


def test_who_cannot_be_reached_so_is_refused_for_good(fake: FakeChannel) -> None:
    fake.refuses[PHONE] = signing.UNREACHABLE[fake.provider.name]
    with pytest.raises(Permanent) as failed:
        send(fake)
    assert failed.value.surely_not_sent
    assert PHONE.removeprefix("+") not in str(failed.value)
