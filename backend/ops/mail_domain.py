"""What others read in DNS of the domain that our mails come from: SPF, DKIM, DMARC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parseaddr

from django.conf import settings

from backend.ops.findings import Finding, Level

Texts = Callable[[str], list[str]]  # of a name; empty where it has none. Raises Unanswered
SECONDS = 3.0  # for each question, all servers together
POLICIES = ("p=quarantine", "p=reject")


class Unanswered(Exception):
    """No server of names answered in time, or it failed."""


def mail_domain(texts: Texts | None = None) -> tuple[Finding, ...]:
    """What the domain of FROM_EMAIL lacks. Three questions at most. Raises Unanswered."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    if "." not in domain or settings.DEBUG:
        return ()  # localhost is told already
    try:
        return tuple(_judged(domain, texts or ask))
    except Unanswered as error:
        raise Unanswered(
            f"what DNS says of {domain} was not answered ({error}); nothing is known to be wrong"
        ) from error


def _judged(domain: str, texts: Texts) -> Iterator[Finding]:
    policies = _beginning("v=spf1", texts(domain))
    if len(policies) != 1:
        text = f"{domain} has {'no SPF record' if not policies else f'{len(policies)} SPF records, and may have one'}."
        yield _warn(text, "Publish the one that your mail provider names, as a TXT record.")
    if settings.DKIM_SELECTOR:
        name = f"{settings.DKIM_SELECTOR}._domainkey.{domain}"
        if not any(_holds_key(text) for text in texts(name)):
            yield _warn(
                f"{name} has no DKIM key.", "Publish the key that your mail provider names, or set DKIM_SELECTOR."
            )
    rules = _beginning("v=dmarc1", texts(f"_dmarc.{domain}"))
    if len(rules) != 1:
        yield _warn(f"_dmarc.{domain} has no DMARC record.", "Publish one, such as “v=DMARC1; p=quarantine”.")
    elif not any(policy in rules[0].replace(" ", "").lower().split(";") for policy in POLICIES):
        yield _warn(f"DMARC of {domain} forbids nobody to write in its name.", "Set p=quarantine or p=reject there.")


def _beginning(version: str, texts: list[str]) -> list[str]:
    return [text for text in texts if text.lower().replace(" ", "").startswith(version)]


def _holds_key(text: str) -> bool:
    """A revoked one is empty."""
    tags = dict(tag.strip().partition("=")[::2] for tag in text.split(";"))
    return bool(tags.get("p", "").strip())


def ask(name: str) -> list[str]:
    """The TXT records of a name, by the machine's servers of names. Raises Unanswered."""
    import dns.exception  # a process loads what it uses
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise Unanswered(type(error).__name__) from error
    return [b"".join(record.strings).decode(errors="replace") for record in answer]


def _warn(text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, "mail", text, advice)
