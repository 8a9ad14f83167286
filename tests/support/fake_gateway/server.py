"""The server that every fake is: its API, its hosted pages and a control door on one port, and its webhooks."""

from __future__ import annotations

import json
import threading
from http.server import ThreadingHTTPServer
from typing import Any, ClassVar

from tests.support.fake_gateway import control
from tests.support.fake_gateway.books import Books
from tests.support.fake_gateway.delivery import Delivery, Manner
from tests.support.fake_gateway.errors import ErrorAnswer, Senseless
from tests.support.fake_gateway.exchange import Ask, Handler, Reply, told
from tests.support.fake_gateway.trouble import Troubles

API, CONTROL = "/v1/", "/_control/"
HANGS_FOR = 20.0  # seconds; four times what we wait
_HTML = b"<html><body>502 Bad Gateway</body></html>"


class FakeServer(ThreadingHTTPServer):
    """Listens on `url` once it is made; `stop` ends it. `sent` is everything that was asked of the API, as text."""

    PAGES: ClassVar[str]  # where the hosted pages are
    books: Books
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, webhook_url: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.troubles = Troubles()
        self.manner = Manner(webhook_url)
        self.sent: list[str] = []
        self.released = threading.Event()  # ends every hang

    def begin(self, *, seed: int) -> None:
        """Serve, and deliver, from the `books` on."""
        self.delivery = Delivery(self.books, self.manner, seed=seed)
        self.delivery.start()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self.delivery.stop()
        self.shutdown()
        self.server_close()

    # -- what each gateway does in its own way ------------------------------------------------------------------------

    def answer(self, ask: Ask, *, is_broken: bool) -> Reply:
        """The API's; `is_broken`: it ends in a 500. Raises ErrorAnswer."""
        raise NotImplementedError

    def page(self, ask: Ask, name: str) -> Reply:
        """What a visitor sees on a hosted page, or is led to by one of its buttons. Raises ErrorAnswer."""
        raise NotImplementedError

    def act(self, action: str, body: control.Body) -> control.Body | None:
        """What its own banks and settings do; None: nothing of that name. Raises ErrorAnswer."""
        raise NotImplementedError

    def refusal(self, status: int) -> ErrorAnswer:
        """Its words for 404, 409 and 429."""
        raise NotImplementedError

    # -- what all do --------------------------------------------------------------------------------------------------

    def reply(self, ask: Ask) -> Reply | None:
        if ask.path.startswith(API):
            return self._reply_by_api(ask)
        if ask.path.startswith(CONTROL):
            return told(self._control(ask.path.removeprefix(CONTROL), ask.body))
        if ask.path.startswith(self.PAGES):
            return self.page(ask, ask.path.removeprefix(self.PAGES))
        raise self.refusal(404)

    def _reply_by_api(self, ask: Ask) -> Reply | None:
        self.sent.append(f"{ask.method} {ask.target} {ask.headers} {ask.body.decode(errors='replace')}")
        trouble = self.troubles.next_for(ask.method, ask.target)
        if trouble == "hang":
            self.released.wait(HANGS_FOR)
            return None
        if trouble == "html":
            return Reply(_HTML, 502, "text/html")
        if trouble in ("409", "429"):
            raise self.refusal(int(trouble))
        reply = self.answer(ask, is_broken=trouble == "500")
        return None if trouble == "lost" else reply

    def _control(self, action: str, body: bytes) -> control.Body:
        try:
            return control.control(self, action, json.loads(body or b"{}"))
        except (KeyError, ValueError, AssertionError) as error:
            raise Senseless(error) from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is no error of ours."""
