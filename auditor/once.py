"""Facts that several checks ask of the flows that are judged, or one check several times: each is found once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from auditor.checks.base import Context
    from auditor.flow import Flows

Fact = TypeVar("Fact")


def once(find: Callable[[Flows, Context], Fact]) -> Callable[[Flows, Context], Fact]:
    """`find`, which the context remembers: asked again about the same flows it gives what it found, to be read only."""

    @wraps(find)
    def found(flows: Flows, context: Context) -> Fact:
        of, fact = context.facts.get(find, (None, None))
        if of is not flows:
            fact = find(flows, context)
            context.facts[find] = flows, fact
        return fact  # type: ignore[no-any-return]

    return found
