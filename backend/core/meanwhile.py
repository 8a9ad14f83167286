"""Work for the time in which PostgreSQL works on a statement, as this process would only wait for its answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias

from django.db import connection

Talk: TypeAlias = Generator[Any, Any, Any]  # psycopg's with the server: what it waits for, what came, its result


class InUse(Exception):
    """The connection is: another statement is on its way."""


class _Busy:
    """In the place of psycopg's connection, at whose lock this thread would wait for itself."""

    def __getattr__(self, _name: str) -> NoReturn:
        raise InUse

    def __setattr__(self, _name: str, _value: object) -> NoReturn:
        raise InUse


@contextmanager
def meanwhile(do: Callable[[], None]) -> Iterator[None]:
    """Do it as soon as the next statement of the block is on its way; with another database not at all.

    Of the first statement in a transaction that is its BEGIN. What is done may ask the database nothing: raises InUse.
    What it raises is raised when the statement is answered, so that the connection can be used again; what the
    statement raises comes first.
    """
    if connection.vendor != "postgresql" or connection.connection is None:
        yield
        return
    opened = connection.connection
    wait = opened.wait

    def wait_once(talk: Talk, *args: Any, **options: Any) -> Any:
        del opened.wait
        return wait(_interrupted(talk, do), *args, **options)

    opened.wait = wait_once
    try:
        yield
    finally:
        vars(opened).pop("wait", None)


def _interrupted(talk: Talk, do: Callable[[], None]) -> Talk:
    """The same talk, with this done where it first waits for the server."""
    failure: BaseException | None = None
    try:
        awaited = next(talk)
        opened, connection.connection = connection.connection, _Busy()
        try:
            do()
        except BaseException as error:  # noqa: BLE001  # raised below
            failure = error
        finally:
            connection.connection = opened
        while True:
            awaited = talk.send((yield awaited))
    except StopIteration as answered:
        if failure is not None:
            raise failure from None
        return answered.value
