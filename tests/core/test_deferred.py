"""A module that is loaded when something of it is used."""

from __future__ import annotations

import importlib
import sys

import pytest
from django_otp_webauthn import checks, models
from webauthn.helpers import structs

from backend.core.deferred import absent, deferred

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that nobody loaded before."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    return "colorsys"


def test_a_name_is_loaded_when_it_is_called(unloaded: str) -> None:
    with deferred(unloaded):
        from colorsys import rgb_to_yiq
    assert unloaded not in sys.modules
    assert rgb_to_yiq(0, 0, 0) == (0, 0, 0)
    assert unloaded in sys.modules


def test_a_part_of_a_package_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wsgiref.types", raising=False)
    monkeypatch.delitem(sys.modules, "wsgiref", raising=False)
    with deferred("wsgiref"):
        from wsgiref import types
    assert types.StartResponse.__name__ == "StartResponse"


def test_a_name_that_is_known_is_used_at_once(unloaded: str) -> None:
    with deferred(unloaded, known={unloaded: {"rgb_to_yiq": max}}):
        from colorsys import rgb_to_yiq
    assert rgb_to_yiq(1, 3, 2) == 3
    assert unloaded not in sys.modules


def test_what_is_loaded_already_stays(unloaded: str) -> None:
    real = importlib.import_module(unloaded)
    with deferred(unloaded), absent(unloaded):
        assert importlib.import_module(unloaded) is real


def test_what_is_absent_cannot_be_imported_for_a_while(unloaded: str) -> None:
    with absent(unloaded), pytest.raises(ImportError):
        importlib.import_module(unloaded)
    assert importlib.import_module(unloaded)


def test_the_library_of_passkeys_finds_the_ceremonies_when_it_needs_them() -> None:
    made = models.PublicKeyCredentialDescriptor(id=b"1", transports=[models.AuthenticatorTransport("usb")])
    assert isinstance(made, structs.PublicKeyCredentialDescriptor)
    assert made.transports == [structs.AuthenticatorTransport.USB]
    assert checks.COSEAlgorithmIdentifier.__members__ == structs.COSEAlgorithmIdentifier.__members__
