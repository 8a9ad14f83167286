"""One spelling for each mail address: that of mail servers."""

from __future__ import annotations

import pytest

from backend.people import addresses
from backend.people.models import Client

pytestmark = pytest.mark.sqlite_only
MULLER = "asha@xn--mller-kva.example"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Asha.Rao+x@Example.ORG", "asha.rao+x@example.org"),
        ("asha@müller.example", MULLER),
        ("ASHA@MÜLLER.EXAMPLE", MULLER),
        ("asha@mu\u0308ller.example", MULLER),  # the two dots by themselves
        ("asha@ｍüller。example", MULLER),  # wide letters and stop
        ("asha@XN--MLLER-KVA.example", MULLER),
        ("asha@straße.example", "asha@xn--strae-oqa.example"),  # no `ss`, as browsers have it
        ("asha@डाटामेल.भारत", "asha@xn--c2bd4bq1db8d.xn--h2brj9c"),
        ('"Asha"@example.org', "asha@example.org"),  # quoted: the same mailbox to every server
        ('"a\\s\\ha.rao"@example.org', "asha.rao@example.org"),
        ("asha@xn--i-7iq.example", "asha@xn--i-7iq.example"),  # not IDNA's any more, but in use
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert addresses.canonical(typed) == kept
    assert addresses.canonical(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "@", "asha", "asha@", "@müller.example", "asha@müller", "asha@@müller.example", "a b@müller.example"),
        "аsha@example.org",  # the first letter is Cyrillic: only SMTPUTF8 could carry it
        "आशा@डाटामेल.भारत",
        *("asha@i❤.example", "asha@mü ller.example", "asha@mü_ller.example", "asha@-müller.example", "asha@ü..example"),
        "asha@" + "ü" * 60 + ".example",  # more than 63 once it is written in ASCII
        "a@" + "ü." * 60 + "example",
        "a@" + "b" * 250 + ".org",
        "a@" + "ü" * 100_000,
        "asha@\ud800.example",
        *('"asha rao"@example.org', '"asha@x"@example.org', '""@example.org', '"\\"@example.org', '"a"b"@example.org'),
        *("root@localhost", "root@mail.localhost", "x@[127.0.0.1]", "x@[IPv6:::1]", "x@10.0.0.10", "x@１０.0.0.10"),
        *("x@printer.local", "x@db.internal", "x@a.invalid", "x@abcdefgh.onion", "x@ｌocalhost", "x@printer。local"),
    ],
)
def test_what_no_mail_server_takes_is_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match=r"no (address|domain)|too long"):
        addresses.canonical(typed)


def test_the_longest_address_fits_its_column() -> None:
    assert Client._meta.get_field("email").max_length == addresses.LONGEST
