"""For a library that loads, for the few who use it, what is heavy: that is loaded once something of it is used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later:
    """A name of such a module. What is done with it is done with what it names."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def _found(self) -> Any:
        module = import_module(self._module)
        if not hasattr(module, self._name):  # a part of a package, which nobody has loaded yet
            return import_module(f"{self._module}.{self._name}")
        return getattr(module, self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._found()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found(), name)


class _Unloaded(ModuleType):
    def __getattr__(self, name: str) -> _Later:
        if name.startswith("__"):  # what Python asks of each module
            raise AttributeError(name)
        return _Later(self.__name__, name)


@contextmanager
def deferred(*modules: str, known: Mapping[str, Mapping[str, object]] | None = None) -> Iterator[None]:
    """Within the block, `from module import name` loads none of these; a class of theirs cannot be inherited from.

    `known`: of such a module, names that are used at once, and what does the same.
    """
    absent = [module for module in modules if module not in sys.modules]
    sys.modules.update({module: _Unloaded(module) for module in absent})
    for module in set(absent).intersection(known or ()):
        vars(sys.modules[module]).update((known or {})[module])
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Within the block it cannot be imported, as where it is not installed."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment] # what Python itself understands so
    try:
        yield
    finally:
        del sys.modules[module]
