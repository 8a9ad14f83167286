"""Reads REDIS_URL once, for kombu and for whoever asks Redis itself: one server, and its certificate verified."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

SOCKET, TLS, PLAIN = "redis+socket", "rediss", "redis"
OPTIONS = {SOCKET: {"virtual_host"}, TLS: {"ssl_ca_certs", "ssl_cert_reqs"}, PLAIN: set[str]()}
VERIFIED = {"required", "CERT_REQUIRED"}


@dataclass(frozen=True)
class BrokerUrl:
    """The same server in the spellings of two libraries."""

    kombu: str
    redis: str


def read(url: str) -> BrokerUrl:
    """Raises ValueError with a sentence that quotes nothing of the URL, as a password may stand in it."""
    parts = urlsplit(url)
    if parts.scheme not in OPTIONS:
        raise ValueError("expected redis://…, rediss://… or redis+socket://….")
    options = dict(parse_qsl(parts.query))
    if not options.keys() <= OPTIONS[parts.scheme]:
        known = ", ".join(sorted(OPTIONS[parts.scheme])) or "none"
        raise ValueError(f"an option after its question mark is not known here; with {parts.scheme}:// known: {known}.")
    return _socket(parts, options) if parts.scheme == SOCKET else _server(parts, options)


def _socket(parts: SplitResult, options: dict[str, str]) -> BrokerUrl:
    database = _database(options.get("virtual_host", "0"))
    place = f"{_login(parts)}{parts.path}"
    numbered = f"?virtual_host={database}" if database != "0" else ""
    return BrokerUrl(f"{SOCKET}://{place}{numbered}", f"unix://{place}?db={database}")


def _server(parts: SplitResult, options: dict[str, str]) -> BrokerUrl:
    _database(parts.path.strip("/") or "0")
    if options.setdefault("ssl_cert_reqs", "required") not in VERIFIED:
        raise ValueError("ssl_cert_reqs may only be `required`: a certificate is always verified.")
    options["ssl_cert_reqs"] = "required"
    query = urlencode(options) if parts.scheme == TLS else ""  # kombu verifies nothing unless it is told to
    same = parts._replace(query=query).geturl()
    return BrokerUrl(same, same)


def _database(number: str) -> str:
    if not number.isdecimal():
        raise ValueError("its database must be a number, such as 0.")
    return number


def _login(parts: SplitResult) -> str:
    login, at, _ = parts.netloc.rpartition("@")
    return f"{login}{at}"
