"""The shape of the report: what `--format json` writes, and what every other format shows a part of.

These types are the contract; `auditor.reportschema` makes the JSON Schema from them. Times are ISO 8601, UTC,
with nanoseconds; null where there is none. Text from captures is as it was found: formats for people make it harmless.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

Time = Annotated[str, "time"]
Count = Annotated[int, "count"]
Port = Annotated[int, "port"]

SeverityWord = Literal["info", "low", "medium", "high", "critical"]
VerdictWord = Literal["clean", "violations", "inconclusive"]
RoleWord = Literal[
    "control",
    "data",
    "registration",
    "gui",
    "support",
    "proxy",
    "resolver",
    "inbound",
    "return",
    "unpublished",
    "other",
]


class Program(TypedDict):
    """Who made the report."""

    version: str


class ProblemEntry(TypedDict):
    """One kind of oddity of a capture, counted."""

    name: Annotated[str, "stable, in kebab case"]
    count: Count
    frame: Annotated[Count | None, "the first frame concerned"]
    offset: Annotated[Count | None, "byte in the file"]
    message: str
    hides_traffic: Annotated[bool, "whether packets may be missing from the report because of it"]


class CaptureEntry(TypedDict):
    """One capture, and what of it could be read."""

    path: str
    format: str
    link_types: list[str]
    packets: Count
    bytes: Annotated[Count, "on the wire"]
    start: Time | None
    end: Time | None
    complete: Annotated[bool, "nothing cut, dropped or unreadable"]
    problems: list[ProblemEntry]


class PackEntry(TypedDict):
    """A rule pack that was audited against."""

    id: str
    version: str
    title: str


class TrafficRow(TypedDict):
    """One traffic class: flows that contribute packets, their packets, their IP bytes."""

    flows: Count
    packets: Count
    bytes: Count


Traffic = TypedDict(
    "Traffic",
    {
        "control": TrafficRow,
        "data": TrafficRow,
        "registration": TrafficRow,
        "gui": TrafficRow,
        "support": TrafficRow,
        "proxy": TrafficRow,
        "return": TrafficRow,
        "inbound": TrafficRow,
        "unpublished": TrafficRow,
        "other": TrafficRow,
    },
)


class SessionEntry(TypedDict):
    """The flows of one backup run."""

    vendor: str
    client_ip: str
    servers: list[str]
    start: Time
    end: Time
    kind: Literal["backup", "restore", "registration", "support"]
    files: Annotated[Count | None, "answered data connections, where the vendor uses one for each file"]
    bytes_up: Count
    bytes_down: Count
    secured: Annotated[bool | None, "null: not seen"]
    outcome: str
    primary: Annotated[str | None, "of the client's pair of servers, where the vendor assigns one: that called first"]
    alternate: Annotated[str | None, "the other one"]


class FlowEntry(TypedDict):
    """One flow; forward is initiator to responder."""

    flow_id: str
    community_id: str
    start: Time
    end: Time
    duration: Annotated[float, "seconds"]
    protocol: str
    initiator_ip: str
    initiator_port: Port
    responder_ip: str
    responder_port: Port
    initiator_basis: Literal["syn", "syn-ack", "protocol", "port", "first-packet"]
    state: Annotated[str, "Zeek's conn_state"]
    history: Annotated[str, "Zeek's letters"]
    packets_forward: Count
    packets_reverse: Count
    bytes_forward_ip: Count
    bytes_reverse_ip: Count
    payload_forward: Annotated[Count, "bytes, retransmitted ones once"]
    payload_reverse: Count
    missed_bytes: Count
    retransmitted_forward: Annotated[Count, "packets"]
    retransmitted_reverse: Count
    vlan: Annotated[list[int], "outer to inner"]
    tunnel: Annotated[str, "encapsulations, outer to inner"]
    first_frame: Annotated[Count, "from 1, within `capture`"]
    syn_frame: Annotated[Count | None, "the initiator's SYN"]
    capture: str
    vendor: Annotated[str, "pack id; several possible ones joined by |; empty: none"]
    service: str
    role: RoleWord
    role_basis: Literal["", "port", "negotiated", "inferred", "volume", "proxy"]
    client_ip: Annotated[str | None, "the inside end"]
    server_ip: Annotated[str | None, "the vendor's end"]


class EvidenceEntry(TypedDict):
    """A packet to look at."""

    capture: str
    frame: Annotated[Count | None, "null: the capture as a whole"]
    timestamp: Time | None


class WaiverEntry(TypedDict):
    """The waiver that fits a finding; once expired it waives no more."""

    reason: str | None
    owner: str | None
    ticket: str | None
    expires: Annotated[str | None, "date"]
    expired: bool


class FindingEntry(TypedDict):
    """One finding: flows of one client, server, service port, protocol and direction that one check objects to."""

    id: Annotated[str, "stable across runs on the same input"]
    check: str
    severity: SeverityWord
    certainty: Literal["certain", "inferred"]
    vendor: str | None
    statement: str | None
    title: str
    message: str
    direction: Literal["outbound", "inbound"] | None
    outcome: Literal["attempt", "open", "observed"]
    client_ip: str | None
    client_ports: list[Port]
    server_ip: str | None
    server_port: Port | None
    service_port: Annotated[Port | None, "the responder's"]
    via: Annotated[str | None, "resolver or proxy"]
    protocol: str | None
    count: Annotated[Count, "flows; messages for DNS and ICMP"]
    first_seen: Time | None
    last_seen: Time | None
    flow_ids: list[str]
    evidence: list[EvidenceEntry]
    display_filter: Annotated[str, "for Wireshark: exactly the packets of this finding"]
    remediation: str
    waiver: WaiverEntry | None


class CoverageEntry(TypedDict):
    """How the captures stand to one published statement."""

    vendor: str
    statement: str
    status: Literal["met", "violated", "not exercised", "inconclusive", "not checkable"]
    evidence: str


class VantagesEntry(TypedDict):
    """Captures of both sides of a firewall: how many of all flows both show."""

    clock_offset: Annotated[float, "seconds that the outside's clock shows more than the inside's"]
    paired: Count
    only_inside: Count
    only_outside: Count


class PortPair(TypedDict):
    """A port on both sides of the firewall."""

    inside: Port
    outside: Port


class TranslationEntry(TypedDict):
    """What the firewall makes of one client's flows with one service."""

    protocol: str
    direction: Literal["outbound", "inbound"] | None
    client_ip: Annotated[str, "inside of the firewall"]
    outside_client_ip: Annotated[str, "the same host as it is seen outside"]
    server_ip: Annotated[str, "as the inside addresses it"]
    outside_server_ip: str
    service_port: Annotated[Port, "the responder's, inside"]
    outside_service_port: Port
    flows: Count
    initiator_ports: Annotated[list[PortPair], "of the flows in order, at most 100"]
    tied_by: Annotated[list[Literal["community-id", "sequence", "payload", "time"]], "what says that both are one flow"]
    first_seen: Annotated[Time, "by the inside's clock"]
    last_seen: Time


class InputEntry(TypedDict):
    """A file that was read."""

    path: str
    role: Literal["capture", "inside", "outside", "processes"]
    bytes: Annotated[Count | None, "of the file; null: no file of known size"]
    sha256: Annotated[str | None, "hexadecimal"]
    note: Annotated[str, "why there is no hash"]


class RuleFileEntry(TypedDict):
    """A YAML file of rules."""

    file: Annotated[str, "rules/… is one that the auditor brings along"]
    sha256: Annotated[str | None, "hexadecimal"]
    note: Annotated[str, "why there is no hash"]


class PackFileEntry(RuleFileEntry):
    """The file of a rule pack."""

    id: str
    version: str


class OptionsEntry(TypedDict):
    """How the audit was asked for."""

    packs: Annotated[list[str], "as named; none: those of the site, else all shipped"]
    as_of: Annotated[str | None, "date on which waivers were judged"]
    fail_on: SeverityWord
    allow_incomplete: bool
    all_flows: bool
    validate_checksums: bool
    keep_duplicates: bool
    vlan: Annotated[str, "auto, ignore or strict"]


class ManifestEntry(TypedDict):
    """What the report rests on."""

    auditor: Annotated[str, "version"]
    inputs: list[InputEntry]
    packs: list[PackFileEntry]
    site: RuleFileEntry | None
    options: OptionsEntry


class Carried(TypedDict, total=False):
    """Keys that reports of earlier versions lack."""

    manifest: ManifestEntry


class TwoVantages(TypedDict, total=False):
    """Keys that a report has where both sides of a firewall were captured."""

    vantages: VantagesEntry
    translations: list[TranslationEntry]


class Document(TwoVantages, Carried):
    """The whole report."""

    schema: Literal["auditor.report/1"]
    auditor: Program
    verdict: VerdictWord
    captures: list[CaptureEntry]
    packs: list[PackEntry]
    site: dict[str, object] | None
    traffic: Traffic
    sessions: list[SessionEntry]
    flows: Annotated[list[FlowEntry], "of vendors; all of them with --all-flows"]
    findings: list[FindingEntry]
    coverage: list[CoverageEntry]
