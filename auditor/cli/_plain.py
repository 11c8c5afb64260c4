"""Plain calls: read without Typer.

Most calls are `auditor audit FILE… [--option value]…`. For those the 50 ms that importing Typer takes can be saved, and
`auditor watch` does without its memory for months. A call is plain if every word of it is beyond doubt: options in
full, and their values well formed. Anything else, and every mistake, is left to Typer. A test holds that both read a
plain call alike.

AUDITOR_HEADSTART=0 switches it off, with the head start (`_headstart`).
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from auditor.cli._option import Call, Option, described, takes_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = ("audit", "flows", "watch")
DIGITS = 4  # of a number; longer ones are for Typer to refuse


def parse(arguments: Sequence[str]) -> Call | None:
    """The call; None if it is not a plain one."""
    if not arguments or arguments[0] not in COMMANDS or os.environ.get("AUDITOR_HEADSTART") == "0":
        return None
    command = import_module(f"auditor.cli.{arguments[0]}")
    values = read(command.run, arguments[1:])
    return None if values is None else Call(command.run, values)


def read(run: Callable[..., int], words: Sequence[str]) -> dict[str, Any] | None:
    """The arguments of `run` as the words give them; None where Typer should have a look."""
    values = dict(run.__kwdefaults__ or {})
    options = {name: word for name, word in described(run).items() if isinstance(word, Option)}
    names = {"--" + name.replace("_", "-"): name for name in options}
    names |= {option.short: name for name, option in options.items() if option.short}
    captures: list[str] = []
    rest = iter(words)
    for word in rest:
        if _stands_alone(word):
            captures.append(word)
            continue
        name = names.get(word)
        if name is None:
            return None
        if values[name] is False or values[name] is True:
            values[name] = True
            continue
        value = next(rest, "")
        if not value or not _stands_alone(value) or (options[name].choices and value not in options[name].choices):
            return None
        if isinstance(values[name], tuple):
            values[name] += (value,)
        elif not takes_number(run, name):
            values[name] = value
        elif value.isascii() and value.isdecimal() and len(value) <= DIGITS and int(value) > 0:
            values[name] = int(value)
        else:
            return None
    if "captures" not in run.__annotations__:
        return None if captures else values
    return {"captures": tuple(captures), **values} if captures else None


def _stands_alone(word: str) -> bool:
    """It is no option; a dash is standard input or output."""
    return word == "-" or not word.startswith("-")
