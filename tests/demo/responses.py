"""What the API says: a JSON object with a status, accepted or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.demo.expectations import Unexpected

TIMEOUT_SECONDS = 15
# A web process killed a moment ago is on its way back. Only a refused connection is tried again: nothing was sent.
RECONNECT = Retry(total=None, connect=20, read=0, status=0, other=0, redirect=0, backoff_factor=0.2, backoff_max=1)


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    request: str
    status: int
    body: dict[str, Any]

    def accepted(self, *fields: str) -> dict[str, Any]:
        """The body of a 2xx that has these fields."""
        if not 200 <= self.status < 300:
            raise Unexpected(f"2xx from {self.request}", f"came {self}")
        if missing := [name for name in fields if name not in self.body]:
            raise Unexpected(f"{', '.join(missing)} in the answer to {self.request}", f"it has {', '.join(self.body)}")
        return self.body

    def refused(self, status: int) -> str:
        """The sentence of a refusal with this status."""
        if self.status != status:
            raise Unexpected(f"{status} from {self.request}", f"came {self}")
        return str(self)

    def __str__(self) -> str:
        said = self.body.get("detail") or self.body.get("message") or self.body
        return f"{self.status} “{said}”"


def session(**headers: str) -> requests.Session:
    """One that sends these headers, and asks no proxy: the stack is local."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(headers)
    made.mount("http://", HTTPAdapter(max_retries=RECONNECT))
    return made


def exchange(session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
    """The response, whatever it is; redirects are not followed."""
    try:
        return session.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)
    except requests.RequestException as error:
        raise Unexpected(f"an answer to {method} {url}", f"came {type(error).__name__}: {error}") from error


def parsed(response: requests.Response, request: str) -> Answer:
    """The JSON object of a response; an error must have a sentence."""
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    try:
        body = response.json() if is_json else None
    except requests.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Unexpected(f"a JSON object from {request}", f"came {response.status_code} {response.text[:200]!r}")
    if response.status_code >= 400 and not (isinstance(body.get("detail"), str) and body["detail"]):
        raise Unexpected(f"a sentence as detail of {response.status_code} from {request}", f"came {body}")
    return Answer(request, response.status_code, body)
