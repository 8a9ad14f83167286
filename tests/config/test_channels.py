"""The settings of channels: half of one is refused by the name of what is missing, and no secret is ever quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.channels.names import ChannelName
from backend.channels.registered import Registered
from backend.core.environment import Misconfigured
from config import channels
from tests.support import commands
from tests.support.fake_channels import custom, msg91, whatsapp
from tests.support.fake_channels.base import Provider

pytestmark = pytest.mark.sqlite_only
ADDRESS = "https://api.example.org"
PROVIDERS: dict[ChannelName, Provider] = {
    ChannelName.WHATSAPP: whatsapp.WhatsApp(url=ADDRESS),
    ChannelName.SMS: msg91.Msg91(url=ADDRESS),
    ChannelName.CUSTOM: custom.Custom(url=ADDRESS),
}
LISTS = ("WHATSAPP_TEMPLATES", "MSG91_TEMPLATES")
NEEDED = [(channel, name) for channel, forms in channels.FORMS.items() for name in forms]


def judge(*given: ChannelName, **changes: str) -> None:
    """Of a deployment with these channels, and with what differs."""
    values = {name: "" for provider in PROVIDERS.values() for name in provider.variables()}
    values |= {"WHATSAPP_URL": "https://graph.facebook.com", "MSG91_URL": "https://control.msg91.com"}
    for channel in given:
        values |= PROVIDERS[channel].variables()
    values |= changes
    templates = {name: [one for one in values.pop(name).split(",") if one] for name in LISTS}
    channels.refuse_unfit(values, templates, is_real=True)


def test_none_each_and_all_are_taken() -> None:
    judge()
    for channel in ChannelName:
        judge(channel)
    judge(*ChannelName)


@pytest.mark.parametrize(("channel", "name"), NEEDED)
def test_half_a_channel_is_refused_by_what_is_missing(channel: ChannelName, name: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name}.* must be set for the channel {channel}"):
        judge(channel, **{name: ""})


@pytest.mark.parametrize(("channel", "name"), NEEDED)
def test_one_variable_alone_is_half_a_channel(channel: ChannelName, name: str) -> None:
    with pytest.raises(Misconfigured, match=f"must be set for the channel {channel}") as refused:
        judge(**{name: PROVIDERS[channel].variables()[name]})
    assert f"{name} " not in str(refused.value)


@pytest.mark.parametrize(("channel", "name"), [pair for pair in NEEDED if pair[1] != "CUSTOM_CHANNEL_URL"])
def test_a_value_of_another_form_is_named_and_not_quoted(channel: ChannelName, name: str) -> None:
    with pytest.raises(Misconfigured, match=name) as refused:
        judge(channel, **{name: "too short"})
    assert "too short" not in str(refused.value)


@pytest.mark.parametrize("name", ["WHATSAPP_URL", "MSG91_URL", "CUSTOM_CHANNEL_URL"])
def test_nothing_travels_in_clear(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name} must begin with https"):
        judge(*ChannelName, **{name: "http://api.example.org"})


@pytest.mark.parametrize(("channel", "name"), list(channels.TEMPLATES.items()))
def test_a_language_is_registered_wholly_or_not_at_all_and_english_always(channel: ChannelName, name: str) -> None:
    every = PROVIDERS[channel].variables()[name].split(",")
    judge(channel, **{name: ",".join(one for one in every if ".hi=" not in one)})
    for missing in every:
        with pytest.raises(Misconfigured, match=missing.partition("=")[0]):
            judge(channel, **{name: ",".join(one for one in every if one != missing)})
    with pytest.raises(Misconfigured, match=r"session_approaching\.en and session_imminent\.en"):
        judge(channel, **{name: ",".join(one for one in every if ".en=" not in one)})
    with pytest.raises(Misconfigured, match=f"{name}.*en"):
        judge(channel, **{name: ""})


def test_languages_are_those_that_are_whole() -> None:
    assert Registered.parse(
        ["session_approaching.en=a", "session_imminent.en=b", "session_imminent.hi=c"]
    ).languages == {"en"}


def test_a_process_with_half_a_channel_does_not_start(tmp_path: Path) -> None:
    ended = commands.start(tmp_path, "check", MSG91_AUTH_KEY=msg91.KEY)
    assert ended.stderr.startswith("Misconfigured: MSG91_WEBHOOK_SECRET must be set for the channel sms.")


def test_a_template_that_there_is_not_stops_the_start(tmp_path: Path) -> None:
    ended = commands.start(tmp_path, "check", MSG91_TEMPLATES="session_over.en=65e06f45d6fc")
    assert ended.stderr.startswith("Misconfigured: MSG91_TEMPLATES: 'session_over.en=65e06f45d6fc' cannot be used")
