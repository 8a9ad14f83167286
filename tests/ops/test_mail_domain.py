"""What the doctor reads in DNS of the domain that mails come from."""

from __future__ import annotations

import io
from typing import Any

import dns.resolver
import pytest

from backend.ops import mail_domain
from backend.ops.management.commands.ops_doctor import Command

pytestmark = pytest.mark.sqlite_only
GOOD = {
    "example.org": ["google-site-verification=x", "v=spf1 include:spf.example.net -all"],
    "s1._domainkey.example.org": ["v=DKIM1; k=rsa; p=MIGf"],
    "_dmarc.example.org": ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org"],
}


@pytest.fixture(autouse=True)
def practice(settings: Any) -> None:
    settings.DEBUG, settings.DKIM_SELECTOR = False, "s1"
    settings.DEFAULT_FROM_EMAIL = "Practice <bookings@example.org>"


def found(**changed: list[str]) -> list[str]:
    names = {"spf": "example.org", "dkim": "s1._domainkey.example.org", "dmarc": "_dmarc.example.org"}
    zone = GOOD | {names[key]: texts for key, texts in changed.items()}
    return [finding.text for finding in mail_domain.mail_domain(lambda name: zone.get(name, []))]


def test_a_domain_in_order_is_passed_over() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spf": []}, "example.org has no SPF record."),
        ({"spf": ["v=spf1 -all", "v=spf1 ~all"]}, "example.org has 2 SPF records, and may have one."),
        ({"dkim": []}, "s1._domainkey.example.org has no DKIM key."),
        ({"dkim": ["v=DKIM1; p="]}, "s1._domainkey.example.org has no DKIM key."),
        ({"dmarc": []}, "_dmarc.example.org has no DMARC record."),
        ({"dmarc": ["v=DMARC1; p=none; sp=reject"]}, "DMARC of example.org forbids nobody to write in its name."),
    ],
)
def test_what_is_missing_is_said(changed: dict[str, list[str]], said: str) -> None:
    assert found(**changed) == [said]


def test_without_a_selector_nobody_asks_for_a_key(settings: Any) -> None:
    settings.DKIM_SELECTOR = ""
    assert found(dkim=[]) == []


def test_a_time_out_says_so_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_arguments: object, **_options: object) -> None:
        raise dns.resolver.LifetimeTimeout(timeout=3, errors=[])

    monkeypatch.setattr(dns.resolver, "resolve", late)
    with pytest.raises(mail_domain.Unanswered, match=r"example.org was not answered \(LifetimeTimeout\)"):
        mail_domain.mail_domain()
    printed = io.StringIO()
    Command(stdout=printed).say_of_domain()  # no finding: the doctor ends as it would without
    assert printed.getvalue().startswith("unknown   mail: what DNS says of example.org was not answered")


def test_a_name_that_is_not_there_has_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_arguments: object, **_options: object) -> None:
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "resolve", none)
    assert mail_domain.ask("example.org") == []


def test_localhost_is_not_asked_about(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "bookings@localhost"
    assert mail_domain.mail_domain() == ()
