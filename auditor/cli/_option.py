"""How a command's parameters are written on the command line.

A command is one function, `run`; each parameter carries an `Option` or `Argument` in its annotation. `_app` makes
Typer's declarations from them and `_plain` reads plain calls by them, so that the two cannot drift apart.

    bool, default False → a switch · tuple, default () → may be repeated · int | None → a whole number from 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Argument(NamedTuple):
    """A word without a name. `complete` gives what a shell may offer for it; None: file names."""

    help: str
    metavar: str
    complete: Callable[[], Sequence[str]] | None = None
    required: bool = True


class Option(NamedTuple):
    """`--name`, from the parameter's name, and `short`. `choices`: the only values that are valid; empty: any."""

    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    short: str = ""
    complete: Callable[[], Sequence[str]] | None = None


class Call(NamedTuple):
    """A command's `run` with its arguments. Parsing makes it, `_main` runs it."""

    run: Callable[..., int]
    arguments: dict[str, Any]

    def __call__(self) -> int:
        return self.run(**self.arguments)


def described(run: Callable[..., int]) -> dict[str, Argument | Option]:
    """The words of a command: what stands in the annotations of `run`, by parameter name."""
    return {
        name: annotation.__metadata__[0]
        for name, annotation in run.__annotations__.items()
        if hasattr(annotation, "__metadata__")
    }


def takes_number(run: Callable[..., int], name: str) -> bool:
    """Whether the parameter is annotated `int | None`."""
    return bool(run.__annotations__[name].__origin__ == int | None)
