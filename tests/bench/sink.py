"""A mail provider that takes all it gets, at once or after a while: `python -m tests.bench.sink PORT`.

A process of its own and a few lines on asyncio, so that it is no part of what it measures. How long it takes to answer
a mail is told to it over the same port: `XWAIT 0.15`, or `XFAIL`.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

HANGS = 3600.0  # seconds
REPLIES = {
    b"EHLO": b"250-sink\r\n250 PIPELINING\r\n",
    b"HELO": b"250 sink\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Provider(asyncio.Protocol):
    """One connection."""

    wait = 0.0  # of all of them, as is the next
    verdict = b"250 accepted\r\n"
    waiting: ClassVar[set[Provider]] = set()  # whose mail came and is not answered yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._got, self._is_mail = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._got += data
        while True:
            end = b"\r\n.\r\n" if self._is_mail else b"\r\n"
            said, found, rest = self._got.partition(end)
            if not found:
                return
            self._got = rest
            if self._is_mail:
                self._is_mail = False
                Provider.waiting.add(self)
                asyncio.get_running_loop().call_later(Provider.wait, self._judge)
            else:
                self._obey(said)

    def _obey(self, command: bytes) -> None:
        word = command[:4].upper()
        if command.startswith(b"XWAIT "):
            Provider.wait, Provider.verdict = float(command[6:]), b"250 accepted\r\n"
            _release()
        elif command == b"XFAIL":
            Provider.wait, Provider.verdict = 0.0, b"451 not now\r\n"
            _release()
        self._is_mail = word == b"DATA"
        self._reply(REPLIES.get(word, b"250 OK\r\n"))

    def _judge(self) -> None:
        if self in Provider.waiting:
            Provider.waiting.remove(self)
            self._reply(Provider.verdict)

    def _reply(self, words: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(words)


def _release() -> None:
    """Who waits by an earlier word waits no longer, so that a round is not the next one's neighbour."""
    for one in list(Provider.waiting):
        one._judge()


@dataclass
class Sink:
    """The process, as those know it who start it."""

    port: int
    pid: int

    def environment(self) -> dict[str, str]:
        """The variables of a process that is to send here."""
        given = {"EMAIL_PROVIDER": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.port)}
        return given | {"EMAIL_SECURITY": "none"}

    def takes(self, seconds: float) -> None:
        """From now on each mail is answered after so long."""
        self._tell(f"XWAIT {seconds}")

    def fails(self) -> None:
        """From now on no mail is taken, for a reason that may pass."""
        self._tell("XFAIL")

    def _tell(self, command: str) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as talk:
            talk.recv(100)
            talk.sendall(f"{command}\r\n".encode())
            talk.recv(100)


@contextmanager
def running() -> Iterator[Sink]:
    """A provider of our own, until the block ends."""
    from tests.support.server import free_port  # it loads Django, of which the process itself needs nothing

    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)])
    try:
        _wait_for(port)
        yield Sink(port, process.pid)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the mail provider does not start")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
