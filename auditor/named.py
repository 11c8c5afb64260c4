"""What the flows of a report name: vendors, and the services, servers and clients of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auditor.batches import Labelled
    from auditor.flow import Rows, Words
    from auditor.reporttypes import FlowEntry

Pairs = frozenset[tuple[str, str]]  # vendor and thing
UNPUBLISHED = "unpublished"  # the role


class Named(NamedTuple):
    """Each name once, however many flows have it."""

    vendors: frozenset[str]  # that flows with published services or networks are, or may be, of
    services: Pairs = frozenset()
    servers: Pairs = frozenset()
    clients: Pairs = frozenset()


def named_in(flows: Iterable[FlowEntry]) -> Named:
    """The names in the flows of a document."""
    ours = [flow for flow in flows if flow["vendor"]]

    def pairs(thing: Callable[[FlowEntry], str | None]) -> Pairs:
        return frozenset((flow["vendor"], name) for flow in ours if (name := thing(flow)))

    return Named(
        vendors=_single({flow["vendor"] for flow in ours if flow["role"] != UNPUBLISHED}),
        services=pairs(lambda flow: flow["service"]),
        servers=pairs(lambda flow: flow["server_ip"]),
        clients=pairs(lambda flow: flow["client_ip"]),
    )


def named_by(labelled: Labelled | None) -> Named:
    """The names in a flow table, as `named_in` gives them for its entries."""
    if labelled is None:
        return Named(frozenset())
    import numpy as np  # the comparison of two documents needs none of it

    from auditor.checks._select import ends, group
    from auditor.flow import Role
    from auditor.formats import address_text

    flows, labels = labelled.flows, labelled.labels
    rows = np.flatnonzero(flows.vendor != 0)
    end = ends(flows, rows)
    vendor, service, role = flows.vendor[rows], flows.service[rows], flows.role[rows]

    def one_of_each(places: Rows, *columns: NDArray[Any]) -> Rows:
        """Of the places one for each distinct combination of the columns' values there."""
        number = group(*(column[places] for column in columns))
        found = np.empty(int(number.max()) + 1 if len(number) else 0, np.intp)
        found[number] = places
        return found

    def of_ends(hi: Words, lo: Words) -> Pairs:
        one = one_of_each(np.flatnonzero(role != Role.OTHER), vendor, hi, lo)
        addresses = map(address_text, hi[one].tolist(), lo[one].tolist())
        return frozenset(zip(map(labels.vendors.__getitem__, vendor[one].tolist()), addresses, strict=True))

    published = one_of_each(np.flatnonzero(role != Role.UNPUBLISHED), vendor)
    one = one_of_each(np.flatnonzero(service != 0), vendor, service)
    return Named(
        vendors=_single(labels.vendors[code] for code in vendor[published].tolist()),
        services=frozenset(
            (labels.vendors[code], labels.services[name])
            for code, name in zip(vendor[one].tolist(), service[one].tolist(), strict=True)
        ),
        servers=of_ends(end.server_hi, end.server_lo),
        clients=of_ends(end.client_hi, end.client_lo),
    )


def _single(vendors: Iterable[str]) -> frozenset[str]:
    """The vendors of flows that may be of one or another."""
    return frozenset(one for several in vendors for one in several.split("|"))
