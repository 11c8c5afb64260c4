"""`typing.NamedTuple` for the modules that the head start imports (`auditor.cli._headstart`), which cannot wait for
typing: that takes 5 ms, and 50,000 packets are read in them. Type checkers see typing's own."""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from typing import Any


class _Maker(type):
    """Makes a named tuple of a class body: annotated names are the fields, their values the defaults."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields = body["__annotations__"]
        defaults = [body[field] for field in fields if field in body]
        made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])  # type: ignore[misc]
        made.__doc__ = body.get("__doc__")
        made.__annotations__ = fields
        return made


class NamedTuple(metaclass=_Maker):
    """Base of named tuples without methods."""
