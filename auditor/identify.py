"""What flows are, by their ends and by what was read of them: proxies' targets, vendors and roles, data connections.

Each of the three needs the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.classify import classify
from auditor.lean import NamedTuple
from auditor.negotiation import Negotiation, negotiate, negotiated
from auditor.proxies import Proxied, proxied_flows

if TYPE_CHECKING:
    from auditor.checks.base import Labels
    from auditor.events import Events
    from auditor.flow import Flows
    from auditor.rulepack import EnabledPack
    from auditor.site import Site


class Identified(NamedTuple):
    """Classified flows, and what else is known of each."""

    flows: Flows
    labels: Labels
    negotiation: Negotiation
    proxied: Proxied


def identify(
    whole: Flows, events: Events, packs: Sequence[EnabledPack], site: Site, *, all_heard: bool = True
) -> Identified:
    """`whole` flows identified. `all_heard`: no event found no room, so that what was not said is known as well."""
    proxied = proxied_flows(whole, events, packs, site)
    flows, labels = classify(whole, packs, site, proxied)
    negotiation = negotiate(flows, labels, events, proxied, packs, site, all_heard=all_heard)
    return Identified(negotiated(flows, negotiation), labels, negotiation, proxied)
