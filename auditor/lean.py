"""`typing.NamedTuple` without typing, for what an audit imports.

Typing's compiles every annotation of every tuple, a millisecond for three of them. And the modules that the head start
imports (`auditor.cli._headstart`) cannot wait for typing at all: that takes 5 ms, and 50,000 packets are read in them.
Type checkers see typing's own.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False  # see `auditor`
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Maker(type):
        """Makes a named tuple of a class body: annotated names are the fields, their values the defaults."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body["__annotations__"]
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for attribute, value in body.items():
                setattr(made, attribute, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """Base of named tuples."""
