"""Primary and alternate server of each client, for vendors who assign every client a pair of them.

No packet says which is which. A client calls its primary first and the alternate where that fails, so what shows is
whom it calls first, run by run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from auditor.lean import NamedTuple

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack

# The statement by which a vendor says that clients are assigned servers, in pairs.
ASSIGNS = "registration"

Owner: TypeAlias = tuple[str, str, bool]  # vendor, client, whether of registration servers


class Pair(NamedTuple):
    """A client's two servers, as far as its traffic shows; None where it does not."""

    primary: str | None = None
    alternate: str | None = None


NO_PAIR = Pair()


class _Calls:
    """What one client called, in the order of its runs."""

    def __init__(self) -> None:
        self.first: Counter[str] = Counter()  # the server with which a run began
        self.order: dict[str, None] = {}


def assigning(packs: Iterable[EnabledPack]) -> frozenset[str]:
    """The vendors who assign pairs."""
    return frozenset(enabled.id for enabled in packs if enabled.pack.statement(ASSIGNS) is not None)


def pairs_of(runs: Iterable[tuple[Owner, Sequence[str]]]) -> dict[Owner, Pair]:
    """The pair of each owner of `runs`, which are in order of time, each with its servers in the order of their calls.

    The primary is the server with which most runs began, the earlier one of two with as many; the alternate is the one
    of the others that was called first. What a client calls beyond these is none of its pair.
    """
    calls: dict[Owner, _Calls] = {}
    for owner, servers in runs:
        known = calls.setdefault(owner, _Calls())
        known.first[servers[0]] += 1
        known.order.update(dict.fromkeys(servers))
    return {owner: _pair(known) for owner, known in calls.items()}


def _pair(calls: _Calls) -> Pair:
    order = list(calls.order)
    primary = max(order, key=lambda server: calls.first[server])  # the first of several with as many
    return Pair(primary, next((server for server in order if server != primary), None))
