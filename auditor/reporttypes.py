"""The shape of the report: what `--format json` writes, and what every other format shows a part of.

These types are the contract; `auditor.reportschema` makes the JSON Schema from them. Times are ISO 8601, UTC,
with nanoseconds; null where there is none. Text from captures is as it was found: formats for people make it harmless.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

Time = Annotated[str, "time"]
Count = Annotated[int, "count"]
Port = Annotated[int, "port"]
FlowId = Annotated[str, "flow id"]

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

    flows: Annotated[Count, "that contribute packets"]
    packets: Annotated[Count, "of the class"]
    bytes: Annotated[Count, "IP lengths of those packets"]


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

    vendor: Annotated[str, "pack id; several possible ones joined by |"]
    client_ip: Annotated[str, "the inside end"]
    servers: Annotated[list[str], "the vendor's ends by address; of a proxy's target known by name only, the name"]
    start: Annotated[Time, "first packet"]
    end: Annotated[Time, "last packet"]
    kind: Annotated[Literal["backup", "restore", "registration", "support"], "what the session was for"]
    files: Annotated[Count | None, "answered data connections, where the vendor uses one for each file"]
    bytes_up: Annotated[Count, "payload from the client, retransmitted bytes once"]
    bytes_down: Annotated[Count, "the same from the servers"]
    secured: Annotated[bool | None, "whether it was encrypted; null: not seen"]
    outcome: Annotated[str, "how it ended"]
    primary: Annotated[str | None, "of the client's pair of servers, where the vendor assigns one: that called first"]
    alternate: Annotated[str | None, "the other one"]


class FlowEntry(TypedDict):
    """One flow; forward is initiator to responder."""

    flow_id: Annotated[FlowId, "16 hexadecimal digits, stable for the same captures; pieces of one flow share it"]
    community_id: Annotated[str, "Community ID, version 1"]
    start: Annotated[Time, "first packet"]
    end: Annotated[Time, "last packet"]
    duration: Annotated[float, "seconds"]
    protocol: Annotated[str, "tcp, udp, icmp, icmp6, or the name or number of another IP protocol"]
    initiator_ip: Annotated[str, "who opened it"]
    initiator_port: Annotated[Port, "of ICMP the type"]
    responder_ip: Annotated[str, "the other end"]
    responder_port: Annotated[Port, "of ICMP the answering type, or the code, as Zeek has it"]
    initiator_basis: Annotated[
        Literal["syn", "syn-ack", "protocol", "port", "first-packet"], "what tells who opened it"
    ]
    state: Annotated[str, "Zeek's conn_state"]
    history: Annotated[str, "Zeek's letters"]
    packets_forward: Annotated[Count, "from the initiator"]
    packets_reverse: Annotated[Count, "from the responder"]
    bytes_forward_ip: Annotated[Count, "IP lengths, by the headers: cut packets lose nothing"]
    bytes_reverse_ip: Annotated[Count, "the same from the responder"]
    payload_forward: Annotated[Count, "bytes, retransmitted ones once"]
    payload_reverse: Annotated[Count, "the same from the responder"]
    missed_bytes: Annotated[Count, "of TCP payload that was sent and not captured"]
    retransmitted_forward: Annotated[Count, "packets"]
    retransmitted_reverse: Annotated[Count, "the same from the responder"]
    vlan: Annotated[list[int], "outer to inner"]
    tunnel: Annotated[str, "encapsulations, outer to inner"]
    first_frame: Annotated[Count, "from 1, within `capture`"]
    syn_frame: Annotated[Count | None, "the initiator's SYN"]
    capture: Annotated[str, "the file that has the first frame"]
    vendor: Annotated[str, "pack id; several possible ones joined by |; empty: none"]
    service: Annotated[str, "of the pack; empty: none"]
    role: Annotated[RoleWord, "what the flow is for"]
    role_basis: Annotated[Literal["", "port", "negotiated", "inferred", "volume", "proxy"], "what the role rests on"]
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
    check: Annotated[str, "id of the check that objects"]
    severity: Annotated[SeverityWord, "how bad it is"]
    certainty: Annotated[Literal["certain", "inferred"], "whether the traffic says so, or circumstances do"]
    vendor: Annotated[str | None, "pack id; several possible ones joined by |; null: no vendor's traffic"]
    statement: Annotated[str | None, "id of the published statement that is broken"]
    title: Annotated[str, "what the check finds, in a few words"]
    message: Annotated[str, "what was found, in one sentence"]
    direction: Annotated[Literal["outbound", "inbound"] | None, "who started it, seen from inside"]
    outcome: Annotated[Literal["attempt", "open", "observed"], "not answered or refused; answered; neither applies"]
    client_ip: Annotated[str | None, "the inside end"]
    client_ports: Annotated[list[Port], "the client's, each once"]
    server_ip: Annotated[str | None, "the vendor's end, an answered address, or a proxy's target, which may be a name"]
    server_port: Annotated[Port | None, "the server's own, where all flows have the same"]
    service_port: Annotated[Port | None, "the responder's"]
    via: Annotated[str | None, "resolver or proxy"]
    protocol: Annotated[str | None, "as of flows"]
    count: Annotated[Count, "flows; messages for DNS and ICMP"]
    first_seen: Annotated[Time | None, "first packet"]
    last_seen: Annotated[Time | None, "last packet"]
    flow_ids: Annotated[list[FlowId], "of the flows that it is about"]
    evidence: Annotated[list[EvidenceEntry], "packets to look at"]
    display_filter: Annotated[str, "for Wireshark: exactly the packets of this finding"]
    remediation: Annotated[str, "what to do about it"]
    waiver: Annotated[WaiverEntry | None, "of the site, that fits it"]


class CoverageEntry(TypedDict):
    """How the captures stand to one published statement."""

    vendor: Annotated[str, "pack id"]
    statement: Annotated[str, "its id within the pack"]
    status: Annotated[
        Literal["met", "violated", "not exercised", "inconclusive", "not checkable"], "what the captures say of it"
    ]
    evidence: Annotated[str, "what that rests on"]


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
