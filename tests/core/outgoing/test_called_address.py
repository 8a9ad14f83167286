"""Addresses that others give us to call: none leads to a machine that is not everybody's."""

from __future__ import annotations

import socket
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from backend.core.outgoing import called_address, guarded_call
from backend.core.outgoing.called_address import AddressRefused, CalledAddress, Fault
from tests.support.private_addresses import ENDS, NUMBERS, PUBLIC, SPELLINGS

ADDRESS = "https://hooks.example.org/bookings?practice=1"


class Network:
    """The DNS, whose answers change, and a net that nobody may be connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.connected: list[Any] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(socket.socket, "connect", lambda _socket, where: self._connect(where))

    def _look_up(self, host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        numbers = [host] if host in NUMBERS or host in PUBLIC else self.answers.pop(0) if self.answers else []
        if not numbers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in number], socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers]

    def _connect(self, where: Any) -> None:
        self.connected.append(where)
        raise ConnectionRefusedError


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def test_a_plain_address_is_read_as_it_stands() -> None:
    assert called_address.read(ADDRESS) == CalledAddress("https", "hooks.example.org", 443, "/bookings?practice=1")


def test_no_spelling_of_a_private_address_is_called(network: Network) -> None:
    """As the machine's own resolver would read them: each leads home, if it gets so far."""
    assert len(SPELLINGS) >= 40
    for spelling in SPELLINGS:
        network.answers = [["127.0.0.1"]]
        with pytest.raises(AddressRefused):
            guarded_call.post(spelling, b"", {})
    assert network.connected == []


def test_a_name_that_leads_into_a_private_network_is_refused(network: Network) -> None:
    """Also where it leads to a public machine beside."""
    for number in NUMBERS:
        for answer in ([number], ["93.184.216.34", number]):
            network.answers = [answer]
            with pytest.raises(AddressRefused) as refused:
                called_address.check(ADDRESS)
            assert refused.value.fault is Fault.PRIVATE, number
    assert all(map(called_address.is_public, PUBLIC))


@pytest.mark.parametrize(("first", "last"), ENDS)
def test_a_network_that_is_not_everybodys_is_refused_from_end_to_end_and_no_further(first: str, last: str) -> None:
    least, most = ip_address(first), ip_address(last)
    middle = type(least)((int(least) + int(most)) // 2)
    assert not any(called_address.is_public(str(number)) for number in (least, middle, most))
    beside = [int(least) - 1, int(most) + 1]
    for number in (type(least)(number) for number in beside if 0 <= number < 2**least.max_prefixlen):
        assert called_address.is_public(str(number)) is not _is_in_another(number), number


def _is_in_another(number: IPv4Address | IPv6Address) -> bool:
    ends = [(ip_address(first), ip_address(last)) for first, last in ENDS]
    return any(int(first) <= int(number) <= int(last) for first, last in ends if first.version == number.version)


def test_a_name_that_changes_its_mind_is_connected_to_as_it_was_judged(network: Network) -> None:
    network.answers = [["93.184.216.34"], ["127.0.0.1"]]
    with pytest.raises(Exception, match="not connected"):
        guarded_call.post(ADDRESS, b"", {})
    assert network.connected == [("93.184.216.34", 443)]


def test_this_machine_is_called_by_its_one_name_and_where_a_setting_says_so(network: Network, settings: Any) -> None:
    network.answers = [["127.0.0.1"], ["::1"], ["10.0.0.1"]]
    with pytest.raises(AddressRefused):
        called_address.check("http://localhost:8765/")
    settings.CALL_LOOPBACK = True
    network.answers = [["127.0.0.1"], ["::1"]]
    called_address.check("http://localhost:8765/")
    called_address.check("https://localhost:8765/")
    for answer in ([["10.0.0.1"]], [["127.0.0.1"]]):
        network.answers = answer
        with pytest.raises(AddressRefused):
            called_address.check("http://localhost:8765/" if answer == [["10.0.0.1"]] else ADDRESS)
    with pytest.raises(AddressRefused):
        called_address.check("http://127.0.0.1:8765/")


def test_a_name_is_looked_up_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(called_address, "LOOKED_UP_WITHIN", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: time.sleep(0.5))
    with pytest.raises(AddressRefused) as refused:
        called_address.check(ADDRESS)
    assert refused.value.fault is Fault.UNKNOWN
