"""Frozen records to and from plain JSON values.

`plain` and `build` undo each other for dataclasses made of text, numbers, flags, dates, tuples and mappings with text
keys. They stand where a validator would be too slow: what they read, a validator has read before.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: object, shown: tuple[type, ...] = ()) -> Any:
    """`value` as JSON can hold it, with every field of a record. Values of the kinds `shown` become their text."""
    if isinstance(value, shown):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), shown) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item, shown) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item, shown) for key, item in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return value


def build(kind: type[T], value: Any) -> T:
    """A `kind` from what `plain` made of it."""
    return cast("T", _build(kind, value))


def _build(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin is tuple:
        return tuple(_build(get_args(kind)[0], item) for item in value)
    if origin is dict:
        return {key: _build(get_args(kind)[1], item) for key, item in value.items()}
    if origin in (UnionType, Union):
        return None if value is None else _build(get_args(kind)[0], value)
    if origin is Literal:
        return value
    if is_dataclass(kind):
        hints = _hints(cast("type", kind))
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return date.fromisoformat(value) if kind is date else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
