"""REDIS_URL means one server to both libraries, and its certificate is verified."""

from __future__ import annotations

import ssl

import pytest
import redis
from kombu import Connection

from backend.core import broker_url

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("redis://h:7000/3", 3),
        ("redis://h", 0),
        ("rediss://app:s%2Fe@h:7000/2", 2),
        ("redis+socket:///run/v.sock", 0),
        ("redis+socket:///run/v.sock?virtual_host=4", 4),
        ("redis+socket://app:s%2Fe@/run/v.sock?virtual_host=4", 4),
    ],
)
def test_both_libraries_go_to_the_same_server(url: str, database: int) -> None:
    read = broker_url.read(url)
    assert broker_url.read(read.kombu) == read
    ours = redis.Redis.from_url(read.redis).connection_pool.connection_kwargs
    with Connection(read.kombu) as connection:
        theirs = connection.transport.Channel._connparams(_channel_of(connection))
    for name in ("host", "port", "path", "username", "password"):
        assert (ours.get(name) or _default(name)) == (theirs.get(name) or _default(name)), name
    assert int(ours.get("db", 0)) == theirs["db"] == database


def _channel_of(connection: Connection) -> object:
    """A channel that has not asked the server anything."""
    channel = object.__new__(connection.transport.Channel)
    channel.connection = connection.transport
    return channel


def _default(name: str) -> object:
    return {"port": 6379}.get(name)


@pytest.mark.parametrize("options", ["", "?ssl_ca_certs=/etc/ca.pem", "?ssl_cert_reqs=CERT_REQUIRED"])
def test_a_certificate_is_always_verified(options: str) -> None:
    read = broker_url.read(f"rediss://h/0{options}")
    with Connection(read.kombu) as connection:
        assert connection.ssl["ssl_cert_reqs"] == ssl.CERT_REQUIRED
        assert connection.ssl.get("ssl_ca_certs") == ("/etc/ca.pem" if "ca_certs" in options else None)
    given = redis.Redis.from_url(read.redis).connection_pool.connection_kwargs
    assert given["ssl_cert_reqs"] == "required"


@pytest.mark.parametrize(
    "url",
    [
        "http://h/0",
        "redis://h/zero",
        "redis://h/0?virtual_host=1",
        "rediss://h/0?ssl_cert_reqs=none",
        "rediss://h/0?ssl_check_hostname=0",
        "redis+socket:///run/v.sock?virtual_host=one",
        "redis+socket:///run/v.sock?db=1",
    ],
)
def test_what_cannot_be_meant_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        broker_url.read(url.replace("h/", ":s3cret@h/"))
    assert "s3cret" not in str(refused.value)
