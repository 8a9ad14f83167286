"""An address that somebody gave us to call: what it may look like, and which machines it may lead to.

Whoever names it could otherwise have us ask what stands behind our own firewall (SSRF). So it is read strictly, as one
spelling of one name, and each machine it leads to is judged by its number: when the address is saved, and again before
each call, which then goes to the number that was judged.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

LONGEST = 500  # characters of an address
LOOKED_UP_WITHIN = 3.0  # seconds; the machine's own resolver may take longer
_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])\Z")
_REST = re.compile(r"[!#-;=?-\[\]_a-z~]*\Z", re.IGNORECASE)  # of printable ASCII, without quotes and backslash
_LOOPBACK_NAME = "localhost"

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast; 192.88.99.0/24 was 6to4's relay
_NOT_PUBLIC_4 = [ipaddress.IPv4Network(network) for network in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)]  # fmt: skip
# Of IPv6 the one part that is given out to networks, without what leads elsewhere inside it: Teredo and its like,
# documentation, 6to4, AS112. Mapped, compatible, NAT64, local, link-local and multicast numbers are all outside it.
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [ipaddress.IPv6Network(network) for network in (
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)]  # fmt: skip


class Fault(StrEnum):
    """Why an address is refused."""

    FORM = "form"
    SCHEME = "scheme"
    PORT = "port"
    NAME = "name"
    UNKNOWN = "unknown"
    PRIVATE = "private"

    @property
    def sentence(self) -> str:
        """For who gave it."""
        return _SENTENCES[self]


_SENTENCES = {
    Fault.FORM: "This is no address that we call: write it as https://name/path, without a user or a fragment.",
    Fault.SCHEME: "The address must begin with https://.",
    Fault.PORT: "We call no such port.",
    Fault.NAME: "Name the server by its name in the DNS, in small ASCII letters and without a dot at its end.",
    Fault.UNKNOWN: "The DNS does not know this name.",
    Fault.PRIVATE: "This name leads into a private network, which we do not call.",
}


class AddressRefused(Exception):
    """We do not call it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


@dataclass(frozen=True)
class CalledAddress:
    """One that was read: whom to ask for what."""

    scheme: str
    host: str
    port: int
    target: str  # path and query


def read(address: str) -> CalledAddress:
    """What it says. Raises AddressRefused for all but a plain https address of a name."""
    parts = _split(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and _leads_home(parts)):
        raise AddressRefused(Fault.SCHEME)
    host = parts.netloc.partition(":")[0]
    if not (_NAME.match(host) or _leads_home(parts)):
        raise AddressRefused(Fault.NAME)
    port = {"https": 443, "http": 80}[parts.scheme] if parts.port is None else parts.port
    if port not in settings.CALL_PORTS and not _leads_home(parts):
        raise AddressRefused(Fault.PORT)
    return CalledAddress(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def machines_of(address: CalledAddress) -> list[str]:
    """The numbers that its name leads to, all of them public. Raises AddressRefused if one is not, or none is known."""
    found = _looked_up(address)
    if not found:
        raise AddressRefused(Fault.UNKNOWN)
    if not all(is_public(number) or _is_allowed_loopback(address, number) for number in found):
        raise AddressRefused(Fault.PRIVATE)
    return found


def check(address: str) -> None:
    """Whether we would call it now. Raises AddressRefused."""
    machines_of(read(address))


def is_public(number: str) -> bool:
    """Whether anybody may ask the machine of this number."""
    try:
        parsed = ipaddress.ip_address(number)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _NOT_PUBLIC_4)
    return parsed in _PUBLIC_6 and parsed.scope_id is None and not any(parsed in network for network in _NOT_PUBLIC_6)


def _split(address: str) -> SplitResult:
    if len(address) > LONGEST or not _REST.match(address):
        raise AddressRefused(Fault.FORM)
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise AddressRefused(Fault.FORM) from error
    is_odd = "@" in parts.netloc or parts.netloc.endswith(":") or "#" in address or not parts.netloc
    if is_odd or not address.startswith(f"{parts.scheme}://{parts.netloc}"):
        raise AddressRefused(Fault.FORM)
    return parts


def _leads_home(parts: SplitResult) -> bool:
    return settings.CALL_LOOPBACK and parts.netloc.partition(":")[0] == _LOOPBACK_NAME


def _is_allowed_loopback(address: CalledAddress, number: str) -> bool:
    is_home = settings.CALL_LOOPBACK and address.host == _LOOPBACK_NAME
    return is_home and ipaddress.ip_address(number).is_loopback


def _looked_up(address: CalledAddress) -> list[str]:
    """In a thread, as a look-up takes no limit. A name that is not known in time is not known."""
    future: Future[list[str]] = Future()
    Thread(target=_look_up, args=(address, future), daemon=True).start()
    with suppress(OSError, UnicodeError, TimeoutError):
        return future.result(LOOKED_UP_WITHIN)
    return []


def _look_up(address: CalledAddress, future: Future[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        future.set_result(list(dict.fromkeys(str(where[0]) for *_, where in found)))
    except Exception as error:  # noqa: BLE001  # whatever it is belongs to who waits
        future.set_exception(error)
