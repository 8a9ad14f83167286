"""The control door of a fake gateway."""

from __future__ import annotations

import requests

PATIENCE = 10.0  # seconds


def tell(url: str, action: str, **body: object) -> requests.Response:
    """What the fake at `url` answers to it."""
    return requests.post(f"{url}/_control/{action}", json=body, timeout=PATIENCE)


def ask(url: str, what: str) -> dict[str, object]:
    """Its `books`, or the `journal` of what was sent to it. Raises requests.HTTPError."""
    answer = tell(url, what)
    answer.raise_for_status()
    return dict(answer.json())
