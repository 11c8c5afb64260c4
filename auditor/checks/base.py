"""What a check is, what it is given, and what it answers with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from auditor.events import Events, Samples
from auditor.flow import Bools, Codes, Direction, Flows, Ints, Ports, Role, Rows, Seen, Words
from auditor.frozen import field, frozen
from auditor.health import Health
from auditor.negotiation import Negotiation
from auditor.once import once
from auditor.proxies import Proxied
from auditor.severity import Outcome, Severity

if TYPE_CHECKING:
    from auditor.rulepack import EnabledPack
    from auditor.site import Site
    from auditor.vantages import Vantages

__all__ = ["CaptureHits", "Check", "Context", "Events", "Health", "Hits", "Labels", "Outcome", "Quotes", "Severity"]


@frozen
class Labels:
    """What the vendor and service codes of `Flows` stand for; code 0 is the empty name."""

    vendors: tuple[str, ...]  # several possible ones joined by "|" in alphabetical order
    services: tuple[str, ...]


@frozen
class Quotes:
    """Packets quoted by ICMP errors, n of them as columns; source and destination as in the quoted packet."""

    flow_id: Words  # of the ICMP flow that carried them
    protocol: Codes
    source_hi: Words
    source_lo: Words
    destination_hi: Words
    destination_lo: Words
    source_port: Ports
    destination_port: Ports


@frozen
class Context:
    """Everything a check may look at beside the flows."""

    packs: tuple[EnabledPack, ...]  # sorted by id
    site: Site
    labels: Labels
    health: Health
    quotes: Quotes
    port_scans: frozenset[tuple[int, int]]  # (initiator, responder) with 20 or more TCP ports tried
    events: Events = field(default_factory=Events.none)  # what was read of payloads
    samples: Samples = field(default_factory=Samples.none)
    negotiation: Negotiation = field(default_factory=lambda: Negotiation.none(0))
    proxied: Proxied = field(default_factory=lambda: Proxied.none(0))
    process_names: tuple[str, ...] = ("",)  # by the code in `Flows.process`; several holders are joined by "|"
    vantages: Vantages | None = None  # None: one side of the firewall was captured

    @cached_property
    def facts(self) -> dict[Any, Any]:
        """What `auditor.once` remembers."""
        return {}

    def pack(self, vendor: str) -> EnabledPack:
        """The enabled pack of that id."""
        return next(pack for pack in self.packs if pack.pack.id == vendor)


@frozen
class Targets:
    """Servers that n flows are about and that are not at their ends: targets of proxies, addresses of a name."""

    hi: Words
    lo: Words
    port: Ints  # NO_PORT (see `auditor.flowends`): a name's address has none
    names: tuple[str, ...] = ()  # one each, "" where there is an address; none at all: addresses alone
    through: bool = True  # the flow's own server, a resolver or a proxy, led there: the finding's `via`


@frozen
class Hits:
    """Rows of the flow table that a check objects to, with what it says of them.

    Scalars hold for all rows; arrays have one element per row of `rows`. `message` is a format string over the
    finding's fields (client_ip, server_ip, server_port, vendor, via, protocol, count, …) and `extra`.
    """

    rows: Rows
    severity: Severity | Codes
    message: str
    certain: bool | Bools = True
    outcome: Outcome | Codes | None = None  # None: from the flow itself
    statements: tuple[str, ...] = ()  # statement ids concerned, the first listed that the vendor's pack has is named
    remediation: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    vendor: str | None = None  # whose finding it is, where the flows themselves are of no vendor
    targets: Targets | None = None  # the servers that it is about, where those are not the flows' own
    told_by: Rows | None = None  # number of the event that tells of each row, in the context's `events`; -1: none


@frozen
class CaptureHits:
    """What a check objects to in a capture as such, not in any flow. Such findings have no vendor, client or server."""

    capture: int  # index in `Health.captures`
    message: str
    severity: Severity = Severity.INFO
    frame: int = 0  # where it shows; 0: at no single frame
    count: int = 1
    remediation: str = ""


class Check:
    """Base of the checks. Subclasses give the class attributes and `find`."""

    id: ClassVar[str]
    title: ClassVar[str]  # one short line: what was found
    since: ClassVar[str]
    statements: ClassVar[frozenset[str]]  # ids of pack statements that this check judges
    placeless: ClassVar[bool] = False  # judges vendor traffic wherever it goes, even where no networks are published
    observes: ClassVar[bool] = False  # its findings tell what happened and object to nothing
    apart: ClassVar[frozenset[str]] = frozenset()  # statements that other traffic puts to the test: `exercised_for`
    site_key: ClassVar[str] = (
        ""  # the key of the site file that its findings contradict; empty: what a vendor published
    )
    counts_messages: ClassVar[bool] = False  # `count` of its findings: packets, not flows (ICMP: always packets)

    def find(self, flows: Flows, context: Context) -> Iterable[Hits]:
        """The rows objected to; nothing where all is as published."""
        raise NotImplementedError

    def find_in_captures(self, context: Context) -> Iterable[CaptureHits]:
        """Objections to the captures themselves."""
        return ()

    def undecided(self, flows: Flows, context: Context) -> Rows:
        """Rows that the check would judge but cannot (too early, one-sided, cut): coverage says `inconclusive`."""
        return np.empty(0, np.intp)

    def exercised(self, flows: Flows, context: Context) -> Rows:
        """Rows that put this check's statements to the test: a statement is met only where there are some.

        Unless a check knows better: sessions that a client opened with a published service and that were answered.
        """
        return np.flatnonzero(answered_sessions(flows, context))

    def exercised_for(self, statement: str, flows: Flows, context: Context) -> Rows:
        """As `exercised`, for one of the statements in `apart`."""
        raise NotImplementedError

    def exercised_apart(self, flows: Flows, context: Context) -> Mapping[str, int]:
        """How often traffic of no vendor put this check's statements to the test, by pack: answers about names."""
        return {}


@once
def answered_sessions(flows: Flows, context: Context) -> Bools:  # noqa: ARG001  # who remembers it
    """TCP sessions with a published service, opened by the client's SYN as captured, and answered by SYN-ACK."""
    opened_here = (flows.seen_forward & Seen.SYN).astype(bool) & (flows.seen_reverse & Seen.SYN_ACK).astype(bool)
    sessions: Bools = (flows.direction == Direction.OUTBOUND) & opened_here & np.isin(flows.role, PUBLISHED_ROLES)
    return sessions


PUBLISHED_ROLES = np.array([Role.CONTROL, Role.DATA, Role.REGISTRATION, Role.GUI, Role.SUPPORT], np.uint8)
