"""One request over TLS, as every real gateway is asked: a stranger is refused, and who drips is hung up on."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.payments import sending
from tests.support.relay import Relay, Trouble
from tests.support.server import free_port

pytestmark = pytest.mark.sqlite_only


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "pem"
    plain = serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def relay(certificate: Path) -> Iterator[Relay]:
    """It speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Relay(f"http://127.0.0.1:{free_port()}", tls=context)
    yield made
    made.stop()


def test_a_certificate_that_nobody_vouches_for_is_refused(relay: Relay) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        sending.send(requests.Request("GET", relay.url), seconds=2)
    assert relay.sent == []


@pytest.mark.parametrize("trouble", [Trouble.DRIP_HEAD, Trouble.DRIP_BODY])
def test_a_server_that_drips_over_tls_is_hung_up_on(
    relay: Relay, certificate: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    session = sending._session()
    monkeypatch.setattr(session, "verify", str(certificate))
    with relay.making(Trouble.ERROR):
        assert sending.send(requests.Request("GET", relay.url), seconds=2).status == 500
    began = time.monotonic()
    with relay.making(trouble), pytest.raises(requests.RequestException):
        sending.send(requests.Request("GET", relay.url), seconds=0.3)
    assert time.monotonic() - began < 0.8
