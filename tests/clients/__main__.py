"""Makes the clients from docs/openapi.yaml and runs the examples: `python -m tests.clients`, `make clients`.

Exit codes: 0 all went well, 1 something failed, 2 this machine lacks a tool.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from config.local.console import end_in_order, say
from tests.clients import generation, practice
from tests.clients.generation import CLIENTS, EXAMPLES, PYTHON, TYPESCRIPT, MissingError
from tests.demo import stack as stacks
from tests.demo.commands import Commands
from tests.demo.expectations import Unexpected
from tests.demo.mailbox import Mailbox
from tests.demo.responses import exchange, parsed, session
from tests.demo.stack import NoStackError, Stack
from tests.demo.walk import Narrator, until

RUN_WITHIN = 300  # seconds
VAR = stacks.OWN_VAR.with_name("clients-stack")
TALK = """book
online
more
1
{address}
Asha Rao
9876543210
Pune
thirty one
female
Vikram Rao
yes
online
31
bye
"""


def main() -> int:
    """The exit code."""
    end_in_order()
    try:
        generation.check_tools()
        generation.make_python()
        generation.make_typescript()
        generation.check_types()
        with stacks.own(Narrator(), VAR, profile="default", FRONTEND_URL="") as stack:
            _run_examples(stack)
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (NoStackError, Unexpected, subprocess.SubprocessError) as error:
        sys.stderr.write(f"FAILED: {error}\n")
        return 1
    say(f"Both clients and the chatbot did what they should. The clients are in {os.path.relpath(CLIENTS)}/.")
    return 0


def _run_examples(stack: Stack) -> None:
    desk = Commands(stacks.clean_environment(str(stack.env_file)), stack.staff_inbox)
    with desk.token() as token, practice.at_work(stack.url, token):
        for program in ([sys.executable, str(EXAMPLES / "python" / "book.py")], ["node", str(TYPESCRIPT / "book.js")]):
            _run(program, stack, str(stack.mail), ends="is CANCELLED: ")
        _talk(stack)
        _run(["node", str(TYPESCRIPT / "staff.js")], stack, ends="since then: MS-", MINDSETTLER_TOKEN=token)


def _talk(stack: Stack) -> None:
    """The chatbot twice: its visitor sends a request, proves the address, and asks what became of it."""
    address = f"asha-{secrets.token_hex(4)}@example.org"
    _chat(stack, TALK.format(address=address), ends="Check your email")
    _chat(stack, f"status\n{_proved(stack, address)}\nbye\n", ends="Possible now: cancel")


def _chat(stack: Stack, words: str, *, ends: str) -> None:
    script = VAR / "talk.txt"
    script.write_text(words)
    _run([sys.executable, str(EXAMPLES / "chatbot.py")], stack, "--script", str(script), ends=ends)


def _proved(stack: Stack, address: str) -> str:
    """The id of the request, after its mailed link was used."""
    mails = Mailbox(stack.mail)
    found = until(
        lambda: mails.to(address) or None, within=60, expected=f"a mail to {address}", came=lambda: "there is none"
    )
    body = {"token": found[0].query(f"{stack.origin}/verify-email?", "token")}
    response = exchange(session(), "POST", f"{stack.url}/api/bookings/verify-email/", json=body)
    return str(parsed(response, "POST verify-email/").accepted("booking")["booking"]["acknowledgement_id"])


def _run(command: list[str], stack: Stack, *more: str, ends: str, **secret: str) -> None:
    """Show the command and what it says. Raises CalledProcessError, TimeoutExpired, and Unexpected without `ends`."""
    whole = [*command, stack.url, *more]
    shown = " ".join([Path(whole[0]).name, *whole[1:]])
    say(f"\n$ {shown.replace(f'{stacks.ROOT}/', '')}")
    given = stacks.clean_environment(os.devnull) | {"PYTHONPATH": str(PYTHON)} | secret
    done = subprocess.run(whole, env=given, stdout=subprocess.PIPE, text=True, timeout=RUN_WITHIN)
    say(done.stdout.rstrip())
    done.check_returncode()
    if ends not in done.stdout:
        raise Unexpected(f"“{ends}” from {whole[1]}", "it ended without")


if __name__ == "__main__":
    sys.exit(main())
