"""The released site's requests, as the browser of a visitor sends them, with the browser's own refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.demo.expectations import Unexpected
from tests.demo.responses import Answer, exchange, parsed, session
from tests.support.clients import forwarded_for

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Site:
    """The pages' calls to the API at `api`, from the site at `origin`."""

    def __init__(self, api: str, origin: str) -> None:
        self.origin = origin
        self._api = api.rstrip("/") + "/api/bookings/"
        self._slots = api.rstrip("/") + "/api/slots/"
        self.people: list[str] = []  # who filled in the form
        self._asked_before: set[str] = set()  # a browser asks once per address whether it may post JSON there
        self._session = session()
        is_same_site = urlsplit(api).hostname == urlsplit(origin).hostname  # sites have no port
        self._session.headers.update(
            {
                "User-Agent": BROWSER,
                "Accept": "*/*",
                "Accept-Language": "en-IN,en;q=0.8",
                "Origin": origin,
                "Referer": f"{origin}/",
                "Sec-Fetch-Mode": "cors",
                "Sec-Fetch-Dest": "empty",
                "Sec-Fetch-Site": "same-site" if is_same_site else "cross-site",
            }
        )

    # -- one method per request of the site ---------------------------------------------------------------------------

    def submit_draft(self, form: dict[str, Any]) -> Answer:
        """The booking form."""
        self.people.append(str(form["full_name"]))
        return self._post("draft/", form)

    def verify_email(self, token: str) -> Answer:
        """What the page behind the mailed link does as soon as it opens."""
        return self._get("verify-email/", token=token)

    def check_status(self, acknowledgement_id: str) -> Answer:
        """The status page."""
        return self._get("check-status/", acknowledgement_id=acknowledgement_id)

    def request_link(self, address: str) -> Answer:
        """The status page's other form."""
        return self._post("check-status/", {"email": address})

    def initiate_payment(self, acknowledgement_id: str) -> Answer:
        """The payment page's first button."""
        return self._post("initiate-payment/", {"acknowledgement_id": acknowledgement_id})

    def complete_payment(self, payment_reference: str) -> Answer:
        """The payment page's second button."""
        return self._post("complete-payment/", {"payment_reference": payment_reference})

    def request_cancellation(self, acknowledgement_id: str) -> Answer:
        """The status page's button."""
        return self._post("request-cancellation/", {"acknowledgement_id": acknowledgement_id})

    def verify_cancellation(self, token: str) -> Answer:
        """What the page behind the cancellation's redirect does as soon as it opens."""
        return self._get("verify-cancellation/", token=token)

    def free_slots(self, first: datetime) -> list[dict[str, Any]]:
        """What is free for online sessions in the week from then on."""
        days = {"from": first.date().isoformat(), "to": (first.date() + timedelta(days=6)).isoformat()}
        response = exchange(self._session, "GET", self._slots, params={**days, "mode": "ONLINE"})
        return list(parsed(response, "GET slots/").accepted("slots")["slots"])

    # -- the browser --------------------------------------------------------------------------------------------------

    def _get(self, path: str, **query: str) -> Answer:
        return self._send("GET", path, params=query)

    def _post(self, path: str, body: dict[str, Any]) -> Answer:
        if path not in self._asked_before:
            self._ask_first(path)
            self._asked_before.add(path)
        who = str(body.get("email") or body)  # each visitor is at home somewhere else
        return self._send("POST", path, json=body, headers=forwarded_for(who))

    def _send(self, method: str, path: str, **options: Any) -> Answer:
        request = f"{method} {path}"
        response = self._exchange(method, path, **options)
        self._may_read(response, request)
        return parsed(response, request)

    def _ask_first(self, path: str) -> None:
        """The preflight."""
        asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        response = self._exchange("OPTIONS", path, headers=asking)
        self._may_read(response, f"OPTIONS {path}")
        allowed = response.headers.get("Access-Control-Allow-Headers", "").lower()
        if not response.ok or "content-type" not in allowed:
            raise Unexpected(f"leave to post JSON to {path}", f"came {response.status_code}, headers “{allowed}”")

    def _exchange(self, method: str, path: str, **options: Any) -> requests.Response:
        return exchange(self._session, method, self._api + path, **options)

    def _may_read(self, response: requests.Response, request: str) -> None:
        """Without this header a browser keeps the answer from the page."""
        allowed = response.headers.get("Access-Control-Allow-Origin")
        if allowed != self.origin:
            raise Unexpected(
                f"Access-Control-Allow-Origin: {self.origin} from {request}",
                f"came {response.status_code} with {allowed}",
            )


def form(address: str, name: str, **changes: object) -> dict[str, Any]:
    """What the booking form sends, for a day that is ahead in every time zone."""
    return {
        "email": address,
        "full_name": name,
        "phone_number": "9876543210",
        "city": "Pune",
        "state": "Maharashtra",
        "country": "India",
        "age": 31,
        "gender": "FEMALE",
        "emergency_contact": "Vikram 9876500000",
        "consent_given": True,
        "preferred_date": (datetime.now(UTC) + timedelta(days=2)).date().isoformat(),
        "preferred_period": "MORNING",
        "mode": "ONLINE",
        "payment_mode": "ONLINE",
        "user_message": "I would like to talk to someone.",
        **changes,
    }
