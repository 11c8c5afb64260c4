"""How a watch is to be done. Every limit has its reason here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor.frozen import field, frozen
from auditor.severity import Severity

if TYPE_CHECKING:
    from pathlib import Path

RING = "ring"  # folder of the segments of evidence, below that of the findings' files
AUTO, SCAPY = "auto", "scapy"  # who reads interfaces


def are_sniffed(source: str) -> bool:
    """Whether interfaces are read by scapy where `Options.source` is this."""
    return source == SCAPY or (source == AUTO and sys.platform != "linux")


@frozen
class Options:
    """Everything beside the interfaces, the packs and the site."""

    tick: float = 1.0  # seconds between two judgements; a finding is told within two seconds of its packet
    health_interval: float = 10.0  # seconds between two health events
    # A finding that goes on is told again at most this often, in seconds; a graver one at once.
    update_interval: float = 10.0
    # A finding is closed when its flows have ended and it was silent for so long, in seconds: a server that tries
    # again after half a minute is still at it.
    close_after: float = 60.0
    # Rows that are judged: what is more leaves, ended and oldest first. So many take about a tenth of a second.
    window_flows: int = 100_000
    # Ended flows of a client that has been silent for so long, in seconds, leave the judged rows. Longer than any
    # silence within a session (an idle control session may take an hour).
    window_age: float = 7200.0
    window_events: int = 200_000  # of the judged flows, the latest; as many quotes; earlier ones are counted
    window_event_bytes: int | None = None  # of names and addresses in them, the latest; None: any
    port_scans: int = 100_000  # pairs that are remembered as port scans; further ones are counted
    # Of one judgement, of all checks together, each its fair share; further ones are counted. None: as in an audit.
    listed_findings: int | None = None
    known_findings: int = 10_000  # of a watch; further ones are counted
    # Flows, client ports and servers that a finding or session names of which flows have left; it counts them all.
    named: int = 1_000
    known_sessions: int = 10_000  # of a watch, the latest; earlier ones are counted
    active_flows: int = 200_000  # alive at once in the engine, some 400 bytes each
    room: Mapping[str, int] = field(default_factory=dict)  # further limits of the engine, less than its `LIMITS`
    # Who reads interfaces: "kernel" (Linux) puts packets into a ring of the engine; "scapy" runs elsewhere too, is
    # slower, cannot tell what was dropped; "auto" is the kernel where it can.
    source: str = AUTO
    ring_bytes: int = 64 << 20  # each interface: over a second of small packets at half a million a second
    # Share of the packets of a health interval that may be lost without the watch being called incomplete. A ring that
    # overflowed once in a month does not make the month inconclusive; one that loses a handshake in a hundred does.
    drops_tolerated: float = 1e-4
    evidence: Path | None = None  # folder for the packets of findings; None: none are kept
    evidence_bytes: int = 256 << 20  # of all segments of the ring on disk
    evidence_age: float = 86_400.0  # seconds after which a segment goes
    evidence_flow_bytes: int = 64 << 10  # IP bytes of one flow that are kept, both directions: data channels are long
    evidence_waiting: int = 10_000  # findings that wait for their packets; further ones get none, which is counted
    evidence_remembered: int = 20_000  # findings of which it is known how far they were saved, the latest
    evidence_at_once: int = 16  # findings for which the ring is read once; it takes a second for a large one
    # Let the kernel turn away what no check can concern. Findings stay the same; traffic of nobody is not counted then.
    kernel_filter: bool = False
    keep_duplicates: bool = False  # packets that a mirror port delivered twice are two
    vlan: str = "auto"  # what VLAN tags mean to flows: "auto", "ignore", "strict"
    fail_on: Severity = Severity.MEDIUM
    allow_incomplete: bool = False
