"""`python -m tests.security [controls journeys schema garbled attacks]`: all of it, or these parts.

controls: each row of docs/security/controls.md in production settings on PostgreSQL and Redis.
journeys: the demo on a stack whose broker lets in the documented users alone; then database, broker and logs are
searched.
schema, garbled: Schemathesis, and bytes that no client sends, against `web` in production settings on that stack.
attacks: what somebody would try there, with the limits of a deployment.
Exit codes: 0 all holds, 1 something does not.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence

import requests

from config.local import postgres
from config.local.console import end_in_order, say
from tests.demo import stack as stacks
from tests.demo.__main__ import _open_every_day, _walked
from tests.demo.commands import Commands
from tests.demo.journeys import JOURNEYS
from tests.demo.site import form
from tests.demo.stack import NoStackError, Stack
from tests.demo.staff import Staff
from tests.demo.walk import Narrator
from tests.security import attacks, controls, garbled, proxied, schemas, searched, servers
from tests.security.attacks import Target
from tests.security.garbled import Login
from tests.security.proxied import FROM_PROXY, HOST
from tests.security.servers import Broker
from tests.support.server import ROOT

PARTS = ("controls", "journeys", "schema", "garbled", "attacks")
VAR = ROOT / "var" / "security"
SECRET_WORDS = "Nobody but us may read that Vasundhara wrote to us about her sister."


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.security")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    chosen = parser.parse_args(arguments)
    parts = chosen.parts or PARTS
    VAR.mkdir(parents=True, exist_ok=True)
    end_in_order()
    try:
        with postgres.throwaway() as database, servers.broker() as broker:
            results = {"controls": controls.run(database, broker.url)} if "controls" in parts else {}
            if set(parts) - {"controls"}:
                results |= _on_a_stack(database, broker, parts, chosen.seed)
    except NoStackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    failed = [name for name, holds in results.items() if not holds]
    say(f"FAILED: {', '.join(failed)}" if failed else f"All hold: {', '.join(results)}.")
    return 1 if failed else 0


def _on_a_stack(database: str, broker: Broker, parts: Sequence[str], seed: int) -> dict[str, bool]:
    stacks.START_WITHIN = servers.START_WITHIN
    narrator, results = Narrator(), {}
    given = {
        **{"DATABASE_URL": database, "REDIS_URL": broker.url, "DEBUG": "0", "REFUND_ON_VISITOR_CANCELLATION": "full"},
        **{"PAYMENT_GATEWAY": "sandbox", "ALLOW_SANDBOX_PAYMENTS": "1", "SANDBOX_SECRET": secrets.token_hex(16)},
    }
    with stacks.own(narrator, VAR / "stack", **given) as stack, servers.production_web(stack.env_file) as web:
        desk = Commands(stacks.clean_environment(str(stack.env_file)), stack.staff_inbox)
        _set_up(stack)
        owner = _owner(stack, web)
        with desk.token() as token:
            if "journeys" in parts:
                results |= _journeys(stack, web, owner, token, database, broker, narrator)
            if "schema" in parts:
                results["schema"] = schemas.run(web, token, _request(stack, token), VAR, seed=seed)
            if "attacks" in parts:
                with servers.production_web(stack.env_file, is_limited=True) as limited:
                    results["attacks"] = attacks.run(Target(limited, owner, stack.mail, stack.logs))
            if "garbled" in parts:
                results["garbled"] = garbled.run(web, proxied.addresses(), _logins(owner, token), each=12, seed=seed)
        results["broker's users"] = _told("the broker refused its users", broker.refused())
    return results


def _owner(stack: Stack, web: str) -> proxied.Owner:
    environment = stacks.clean_environment(str(stack.env_file))
    command = [sys.executable, "manage.py", "first_owner", "vasundhara"]
    printed = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return proxied.enrolled(web, printed.splitlines()[-1], "vasundhara", f"planted-{secrets.token_hex(8)}")


def _request(stack: Stack, token: str) -> str:
    """The id of a request that waits, so that programs of staff have something to act on."""
    return str(Staff(stack.url, token).create(form("asha@example.org", "Asha"))["acknowledgement_id"])


def _journeys(
    stack: Stack, web: str, owner: proxied.Owner, token: str, database: str, broker: Broker, narrator: Narrator
) -> dict[str, bool]:
    """Every journey that fits, an enquiry beside them, and then the search."""
    enquiry = {"text": SECRET_WORDS, "email": "v@example.org", "name": "V"}
    requests.post(f"{web}/api/send-email/", json=enquiry, headers=FROM_PROXY, timeout=10).raise_for_status()
    names = [name for name, journey in JOURNEYS.items() if journey.refunds != "none"]
    walked = _walked(names, stack, narrator, prepare=_open_every_day)
    typed = form("a@example.org", "A")
    planted = {
        "texts of messages": {typed["user_message"], SECRET_WORDS},
        "emergency contacts": {typed["emergency_contact"]},
        "tokens of links": searched.mailed_tokens(stack.mail) | {owner.link},
        "tokens of the staff API": {token},
        "secrets of authenticator apps": {owner.app},
        "recovery codes": {form for code in owner.recovery_codes for form in (code, code.replace("-", ""))},
        "passwords": {owner.password},
        "keys of sessions": {owner.cookie},
        "keys of the deployment": {word for word in stack.env_file.read_text().split("'") if len(word) >= 40},
    }
    logs = b"\n".join(path.read_bytes() for path in sorted(stack.logs.glob("*")) if path.is_file())
    places = {
        "database": searched.dump(database),
        "broker": broker.holds().encode(),
        "all that was said to the broker": "\n".join(broker.heard).encode(),
        "logs": logs,
    }
    return {"journeys": all(walked.values()), "search": searched.report(places, planted)}


def _set_up(stack: Stack) -> None:
    """Django in this process, to know every address."""
    import django

    os.environ.update(servers.environment(stack.env_file))
    django.setup()


def _logins(owner: proxied.Owner, token: str) -> list[Login]:
    origin = f"Origin: https://{HOST}"
    return [
        Login("nobody"),
        Login("staff", (f"Authorization: Token {token}",)),
        Login(
            "owner",
            (f"Cookie: {owner.browser.headers['Cookie']}", origin),
            f"csrfmiddlewaretoken={owner.csrf}&".encode(),
        ),
    ]


def _told(what: str, lines: list[str]) -> bool:
    sys.stdout.write("".join(f"WRONG  {what}: {line}\n" for line in lines))
    return not lines


if __name__ == "__main__":
    sys.exit(main())
