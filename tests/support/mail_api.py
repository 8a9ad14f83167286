"""A mail service's HTTP API on loopback: keeps what it is asked, and answers as that service does, or as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

from config import mail

GIVEN = {"EMAIL_API_KEY": "the-key", "EMAIL_API_SECRET": "the-secret", "EMAIL_API_REGION": "ap-south-1"}
TO = "asha@example.org"
ANSWERS: dict[str, tuple[int, object]] = {
    "amazon_ses": (200, {"MessageId": "1"}),
    "brevo": (201, {"messageId": "<1@example.org>"}),
    "mailersend": (202, None),
    "mailgun": (200, {"id": "<1@example.org>", "message": "Queued. Thank you."}),
    "mailjet": (
        200,
        {
            "Messages": [
                {"Status": "success", "To": [{"Email": TO, "MessageUUID": "1", "MessageID": 1}], "CustomID": ""}
            ]
        },
    ),
    "postmark": (200, {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": TO, "SubmittedAt": ""}),
    "resend": (200, {"id": "1"}),
    "sendgrid": (202, None),
}


@dataclass
class MailApi:
    """`answer` is what every request gets; `asked` holds head and body of each, the body as text without escapes."""

    answer: tuple[int, object]
    url: str = ""
    asked: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def given(self) -> dict[str, str]:
        """Our variables, as of somebody whose mails go here."""
        return {**GIVEN, "EMAIL_API_URL": self.url}


@contextmanager
def serving(provider: str) -> Iterator[MailApi]:
    """The API of one of the providers on offer, until the block ends."""
    api = MailApi(ANSWERS[provider])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            api.asked.append((dict(self.headers), unquote_plus(body)))
            status, content = api.answer
            said = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if said else "text/html")
            self.send_header("Content-Length", str(len(said)))
            self.send_header("X-Message-Id", "1")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_port}/"
        yield api
        server.shutdown()


def use(settings: object, provider: str, api: MailApi) -> None:
    """Let this process send through `provider`, whose API is `api`."""
    settings.EMAIL_BACKEND = mail.backend(provider)  # type: ignore[attr-defined]
    settings.ANYMAIL = mail.anymail(provider, api.given())  # type: ignore[attr-defined]
