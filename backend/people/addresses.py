"""Mail addresses and their domains, in the one form in which they are stored, compared and handed to mail servers.

A domain in other letters than ASCII is kept as IDNA writes it: `müller.example` is `xn--mller-kva.example`, however
it was spelt, and every mail server and provider takes it so. The mapping is that of browsers, UTS 46 without its
transitional rules: https://www.unicode.org/reports/tr46/. Other letters before the @ are refused: they need SMTPUTF8
(RFC 6531) of every server on the way, and nobody has said when two of them are the same. Quotes around it, and a
backslash before any of its letters, change nothing to a server (RFC 5321, 4.1.2), so they are taken away: each spelling
would be a mailbox with limits of its own. What needs its quotes is refused.

A host of a network of ours is no address of a person's: `root@localhost`, `x@[127.0.0.1]`, and names that the Internet
does not have (RFC 6761, 6762, 7686, and ICANN's `internal`).
"""

from __future__ import annotations

import re

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LONGEST = 254  # characters of an address: RFC 5321, 4.5.3.1.3, without the brackets
_NOT_ON_THE_INTERNET = ("internal", "invalid", "local", "localhost", "onion")
_ESCAPED = re.compile(r"\\(.)")
_is_address = EmailValidator(allowlist=[])


def canonical(typed: str) -> str:
    """`asha@xn--mller-kva.example` for `Asha@Müller.example`. Raises ValueError for what is no address."""
    if len(typed) > LONGEST:  # before it is parsed
        raise ValueError("too long")
    name, _, domain = typed.rpartition("@")
    host = canonical_domain(domain)
    address = f"{_unquoted(name).lower()}@{host}"
    try:
        _is_address(address)
    except ValidationError as error:
        raise ValueError("no address") from error
    last = host.rpartition(".")[2]
    if host.startswith("[") or last.isdigit() or last in _NOT_ON_THE_INTERNET:
        raise ValueError("no address")
    if len(address) > LONGEST:
        raise ValueError("too long")
    return address


def _unquoted(name: str) -> str:
    is_quoted = len(name) > 1 and name[0] == name[-1] == '"'
    return _ESCAPED.sub(r"\1", name[1:-1]) if is_quoted else name


def canonical_domain(typed: str) -> str:
    """`xn--mller-kva.example` for `Müller.example`. Raises ValueError for what IDNA cannot write."""
    if typed.isascii():
        return typed.lower()
    try:
        return idna.encode(typed, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError("no domain") from error
