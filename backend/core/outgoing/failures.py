"""Requests to other services: whether one that failed can have been taken all the same."""

from __future__ import annotations

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


def never_connected(error: requests.RequestException) -> bool:
    """No such host, refused, or not answered in time: not a byte of the request left. Anything later may have."""
    found: BaseException | None = error
    while found is not None:  # Anymail and requests each wrap what urllib3 says
        reason = getattr(found.args[0], "reason", None) if found.args else None
        if isinstance(reason, NewConnectionError | ConnectTimeoutError):
            return True
        found = found.__cause__
    return False
