"""Threads that do the same again and again while something else goes on."""

from __future__ import annotations

import threading

from django.db import Error, connection


class Repeating(threading.Thread):
    """Does its turn until it is stopped."""

    every = 1.0  # seconds

    def __init__(self) -> None:
        super().__init__(daemon=True, name=type(self).__name__)
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(self.every):
            self.turn()
        connection.close()

    def turn(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """Returns when the last turn is over."""
        self._is_over.set()
        self.join()


class Observer(Repeating):
    """Looks at the database, and asks again at its next turn where that is away."""

    def turn(self) -> None:
        try:
            self.look()
        except Error:
            connection.close()

    def look(self) -> None:
        raise NotImplementedError
