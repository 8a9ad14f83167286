"""The shape of JSON: its keys, types and nullability, as text that can be kept and compared."""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any] | list[Any] | str
NULL = "null"


def shape_of(value: Any) -> Shape:
    """Of an object its members, of a list that of all its rows together, else the type."""
    if isinstance(value, dict):
        return {name: shape_of(member) for name, member in value.items()}
    if isinstance(value, list):
        merged: Shape | None = None
        for row in value:
            merged = shape_of(row) if merged is None else both(merged, shape_of(row))
        return [] if merged is None else [merged]
    return {type(None): NULL, bool: "boolean", int: "number", float: "number", str: "text"}[type(value)]


def both(first: Shape, second: Shape) -> Shape:
    """What fits either: text and null are `null | text`; a member that only one has stays."""
    if isinstance(second, dict) and "?" in second and not (isinstance(first, dict) and "?" in first):
        return both(second, first)
    if isinstance(first, dict) and "?" in first and second != NULL:
        return {"?": both(first["?"], second["?"] if isinstance(second, dict) and "?" in second else second)}
    if isinstance(first, dict) and isinstance(second, dict):
        names = dict.fromkeys((*first, *second))
        return {name: _member(first.get(name), second.get(name)) for name in names}
    if isinstance(first, list) and isinstance(second, list):
        return [both(first[0], second[0])] if first and second else first or second
    if isinstance(first, str) and isinstance(second, str):
        return " | ".join(sorted({*first.split(" | "), *second.split(" | ")}))
    if NULL not in (first, second):
        raise TypeError(f"one answer has {_kind(first)}, another {_kind(second)}")
    return _or_null(first) if second == NULL else _or_null(second)


def _member(first: Shape | None, second: Shape | None) -> Shape:
    if first is None or second is None:
        found = first if second is None else second
        assert found is not None
        return found
    return both(first, second)


def _or_null(shape: Shape) -> Shape:
    """An object or a list, for all of which null may stand."""
    return shape if isinstance(shape, dict) and "?" in shape else {"?": shape}


def broken(kept: Shape, now: Shape, path: str = "") -> list[str]:
    """What a client that was written for `kept` would miss in `now`, or find of another type."""
    if kept == NULL:  # nobody knows more of it
        return []
    if isinstance(kept, dict) and "?" in kept:
        inner = now["?"] if isinstance(now, dict) and "?" in now else now
        return [] if inner == NULL else broken(kept["?"], inner, path)
    if isinstance(kept, dict) and isinstance(now, dict):
        gone = [f"{path}.{name} is gone" for name in kept if name not in now]
        return gone + [one for name in kept if name in now for one in broken(kept[name], now[name], f"{path}.{name}")]
    if isinstance(kept, list) and isinstance(now, list):
        return broken(kept[0], now[0], f"{path}[]") if kept and now else []
    if isinstance(kept, str) and isinstance(now, str):
        return [] if set(now.split(" | ")) <= set(kept.split(" | ")) else [f"{path} was {kept}, is {now}"]
    return [f"{path} was {_kind(kept)}, is {_kind(now)}"]


def _kind(shape: Shape) -> str:
    return shape if isinstance(shape, str) else "a list" if isinstance(shape, list) else "an object"
