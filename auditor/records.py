"""Frozen records as plain JSON values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any


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
